"""What the platform's staff looks at and decides."""

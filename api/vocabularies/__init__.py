"""What values may be chosen from, for whoever makes forms."""

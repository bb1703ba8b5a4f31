"""What the live boards say, for programs."""

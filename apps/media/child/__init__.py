"""What runs inside the sandbox: the only code that lets a decoder near a stranger's file."""

"""Everything that changes shows and episodes."""

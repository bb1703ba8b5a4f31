"""Feeds: what stands in them, how they are kept, and how they are answered."""

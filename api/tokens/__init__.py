"""API tokens: how programs sign in."""

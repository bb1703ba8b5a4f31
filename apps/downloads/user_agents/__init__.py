"""Where the lists of user agents come from: our own, or an operator's (docs/adr/0016)."""

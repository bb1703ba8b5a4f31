"""schemathesis against a running instance: the document is a promise, which this tries."""

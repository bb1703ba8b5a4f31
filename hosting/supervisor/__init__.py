"""One machine's instance: everything it consists of, started, kept running and stopped."""

"""The load generator: a process of its own, cheap enough not to be what is measured."""

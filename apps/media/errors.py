"""What can go wrong while stored bytes are read."""


class SourceTooShortError(OSError):
    """A stored file ended before the length that was promised for it."""


class SourceClosedError(OSError):
    """A stored file was read after it had been closed."""

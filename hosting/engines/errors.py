"""What can go wrong with engines, in sentences an operator can act on."""


class EngineError(Exception):
    """An engine could not be found, started or reached; the message says what to do."""

"""What can go wrong with an instance, in sentences an operator can act on."""


class InstanceError(Exception):
    """The instance or one of its engines can't start or go on; the message says what to do."""

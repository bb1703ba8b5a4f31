"""What goes into every feed besides its show: when that changes, all are rendered anew."""

from django.conf import settings

# To be raised by whoever changes what a feed of an unchanged show looks like.
_FORM = 1


def current_edition() -> str:
    """Of this version of the program, at this installation's public address."""
    return f"{_FORM} {settings.BASE_URL}"[:255]

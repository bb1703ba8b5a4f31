"""Forms of the platform's staff."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from apps.downloads.keys import KEY_BYTES


class AddressKeyField(forms.CharField):
    """An address as it is stored: a keyed hash, written in hexadecimal digits."""

    def clean(self, value: Any) -> bytes:
        """The bytes of the hash."""
        try:
            key = bytes.fromhex(super().clean(value))
        except ValueError as error:
            raise ValidationError("This is no address key.", code="invalid") from error
        if len(key) != KEY_BYTES:
            raise ValidationError("This is no address key.", code="invalid")
        return key


class ReleaseForm(forms.Form):
    """What waits for review: one address of one organisation on one day."""

    organization = forms.UUIDField()
    day = forms.DateField()
    address_key = AddressKeyField(max_length=2 * KEY_BYTES)

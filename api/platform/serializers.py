"""What waits for review, and letting it count."""

from typing import Any

from rest_framework import serializers

from api.base.fields import IdField
from apps.downloads.keys import KEY_BYTES


class AddressKeyField(serializers.CharField):
    """An address as it is stored: a keyed hash, in hexadecimal digits."""

    default_error_messages = {"address_key": "This is no address key."}

    def to_internal_value(self, data: Any) -> bytes:  # type: ignore[override]  # as it is stored
        """The bytes of the hash."""
        text = super().to_internal_value(data)
        try:
            key = bytes.fromhex(text)
        except ValueError:
            self.fail("address_key")
        if len(key) != KEY_BYTES:
            self.fail("address_key")
        return key


class NamedSerializer(serializers.Serializer[Any]):
    """Something of a tenant; without a name when it is gone."""

    id = IdField()
    name = serializers.CharField(allow_null=True)


class WaitingSerializer(serializers.Serializer[Any]):
    """One address of one organisation on one day, beyond what counts by itself."""

    organization = NamedSerializer()
    shows = NamedSerializer(many=True)
    day = serializers.DateField(help_text="Of UTC.")
    address_key = serializers.CharField(
        help_text="Tells it from others and says nothing of it: a keyed hash."
    )
    downloads = serializers.IntegerField()
    apps = serializers.IntegerField()


class WaitingPageSerializer(serializers.Serializer[Any]):
    """A page of them; there is no way back but to the first one."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = WaitingSerializer(many=True)


class ReleaseInput(serializers.Serializer[Any]):
    """What is to count after all."""

    organization = IdField()
    day = serializers.DateField()
    address_key = AddressKeyField(max_length=2 * KEY_BYTES)


class ReleasedSerializer(serializers.Serializer[Any]):
    """What came of it."""

    released = serializers.IntegerField(
        help_text="Downloads that count from now on; 0 when nothing was waiting any more."
    )

"""A download as programs see it: nothing of it leads to a person."""

from rest_framework import serializers

from api.base.rows import RowSerializer
from apps.downloads.agents import AgentKind
from apps.downloads.models import Download


class DownloadSerializer(RowSerializer[Download]):
    """A listener who was sent enough of an episode on one day of UTC.

    When its episode was deleted for good, it still counts.
    """

    category = serializers.ChoiceField(
        choices=[(kind.value, kind.name) for kind in AgentKind],
        help_text="What kind of program it was.",
    )
    day_utc = serializers.DateField(source="day", help_text="The day of UTC that it counts for.")

    class Meta:
        model = Download
        fields = [
            "id",
            "show",
            "episode",
            "first_at",
            "counted_at",
            "local_day",
            "day_utc",
            "app",
            "category",
            "device",
            "platform",
            "country",
            "referrer",
            "is_first_of_listener",
            "is_provisional",
        ]
        read_only_fields = fields
        extra_kwargs = {
            "first_at": {"help_text": "When the listener’s first request began."},
            "counted_at": {"help_text": "When it was counted; lists are in this order."},
            "local_day": {"help_text": "The day in the show’s time zone, where charts have it."},
            "app": {"help_text": "App, browser or library; empty: unknown."},
            "device": {"help_text": "Empty: unknown."},
            "platform": {"help_text": "The device’s class, such as `mobile`; empty: unknown."},
            "country": {"help_text": "Its code of ISO 3166-1; empty: unknown."},
            "referrer": {"help_text": "The host of the website whose player it was, if any."},
            "is_first_of_listener": {
                "help_text": "The listener’s first of this show on this day of UTC."
            },
            "is_provisional": {
                "help_text": "Known from requests only, until logs confirm it or take it back."
            },
        }

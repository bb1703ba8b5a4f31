"""Forms about webhooks."""

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django import forms

from apps.webhooks.endpoints import EndpointFields
from apps.webhooks.event_types import EventType
from apps.webhooks.models import MAX_URL
from frontend.forms.explained import ExplainedCheckboxes
from podcasts.querysets import ShowQuerySet

_MEANINGS = {
    EventType.EPISODE_PUBLISHED: "By hand, by the clock, or because its audio is ready.",
    EventType.EPISODE_UPDATED: "Texts, picture, audio or date; drafts as well.",
    EventType.EPISODE_UNPUBLISHED: "Taken back, put off to a later date, or put into the trash.",
    EventType.UPLOAD_PROCESSED: "With what was wrong, if it can’t be used.",
    EventType.DOWNLOADS_MILESTONE: "An episode or a show reaches 100, 250, 500, 1,000, 2,500 …",
}
_SINCE = [
    (timedelta(hours=1), "the last hour"),
    (timedelta(days=1), "the last 24 hours"),
    (timedelta(days=7), "the last 7 days"),
    (timedelta(days=30), "the last 30 days"),
]


class WebhookForm(forms.Form):
    """Where to send what."""

    url = forms.CharField(
        label="Address",
        max_length=MAX_URL,
        widget=forms.URLInput(
            attrs={"placeholder": "https://example.com/webhooks", "autocomplete": "off"}
        ),
        help_text="Where your program listens: https, on the public internet.",
    )
    description = forms.CharField(
        label="Name",
        max_length=200,
        required=False,
        help_text="What it is for, for example “Tells our chat”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    events = forms.MultipleChoiceField(
        label="What should it be told?",
        choices=EventType.choices,
        widget=ExplainedCheckboxes({event.value: text for event, text in _MEANINGS.items()}),
        error_messages={"required": "Choose at least one."},
    )
    show = forms.ChoiceField(label="Of which shows?", required=False)

    def __init__(self, *args: Any, shows: ShowQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        titles = [(str(show.pk), show.title) for show in shows]
        show = cast("forms.ChoiceField", self.fields["show"])
        show.choices = [("", "All that there are, and new ones"), *titles]

    def endpoint_fields(self) -> EndpointFields:
        """What the services take."""
        chosen = self.cleaned_data
        return {
            "url": chosen["url"],
            "description": chosen["description"],
            "events": chosen["events"],
            "show_id": UUID(chosen["show"]) if chosen["show"] else None,
        }


class ReplayForm(forms.Form):
    """From when on to send again what failed."""

    since = forms.TypedChoiceField(
        label="Failed in",
        choices=[(str(int(span.total_seconds())), words) for span, words in _SINCE],
        initial=str(int(_SINCE[1][0].total_seconds())),
        coerce=lambda text: timedelta(seconds=int(text)),
    )

"""Forms about an episode."""

from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from django.core.exceptions import ValidationError

from apps.core.clock import in_utc
from frontend.forms.shows import ArtworkField
from podcasts.models import Episode
from podcasts.services.episodes import EpisodeFields


class NewEpisodeForm(forms.ModelForm[Episode]):
    """What is needed to begin an episode; everything else is on its page."""

    class Meta:
        model = Episode
        fields: tuple[str, ...] = ("title", "season_number", "episode_number", "type")
        labels = {
            "season_number": "Season",
            "episode_number": "Episode",
            "is_explicit": "Explicit",
            "notes": "Show notes",
        }
        help_texts = {
            "title": "Without the number and the show’s name: apps add both.",
            "is_explicit": "Strong language or content that isn’t for children.",
        }
        widgets = {
            "title": forms.TextInput(attrs={"autocomplete": "off"}),
            "notes": forms.Textarea(attrs={"rows": 12}),
            "type": forms.RadioSelect,
        }

    def __init__(self, *args: Any, episode: Episode | None = None, **kwargs: Any) -> None:
        if episode is not None:
            kwargs["initial"] = forms.models.model_to_dict(episode, self._meta.fields)
        super().__init__(*args, **kwargs)

    def episode_fields(self) -> EpisodeFields:
        """What the service takes, artwork apart."""
        return cast("EpisodeFields", {name: self.cleaned_data[name] for name in self.Meta.fields})


class EpisodeForm(NewEpisodeForm):
    """Everything that can be said about an episode."""

    artwork = ArtworkField(label="Episode cover")
    is_artwork_removed = forms.BooleanField(label="Use the show’s cover instead", required=False)

    class Meta(NewEpisodeForm.Meta):
        fields = ("title", "notes", "season_number", "episode_number", "type", "is_explicit")

    def __init__(self, *args: Any, episode: Episode, is_readonly: bool = False, **kwargs: Any):
        super().__init__(*args, episode=episode, **kwargs)
        if episode.artwork is None:
            del self.fields["is_artwork_removed"]
        if is_readonly:
            for field in self.fields.values():
                field.disabled = True


class PublishForm(forms.Form):
    """When to publish: a local date and time, and the time zone it was typed in."""

    publish_at = forms.DateTimeField(
        label="Date and time",
        required=False,
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local", "step": "60"}, format="%Y-%m-%dT%H:%M"
        ),
        error_messages={"invalid": "This is not a date and time. Write it as 2027-01-31 18:00."},
    )
    timezone = forms.CharField(
        required=False, widget=forms.HiddenInput(attrs={"data-timezone": True})
    )

    def __init__(self, *args: Any, episode: Episode, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        date = self.fields["publish_at"]
        # The form is part of the page, not around it: see the editor's template.
        for field in self.fields.values():
            field.widget.attrs["form"] = "episode-form"
        if episode.published_at is not None and not self.is_bound:
            date.initial = episode.published_at
            # In UTC, until a script has shown it in the reader's own zone.
            date.widget.attrs["data-utc"] = episode.published_at.isoformat()

    def clean(self) -> dict[str, Any]:
        """The moment in UTC: what was typed is taken to be in the browser's zone."""
        data = cast("dict[str, Any]", super().clean())
        typed = data.get("publish_at")
        if typed is not None:
            zone = data.get("timezone")
            moment = typed.replace(tzinfo=_zone(zone)) if zone else typed
            try:
                data["publish_at"] = in_utc(moment)
            except OverflowError as error:
                invalid = self.fields["publish_at"].error_messages["invalid"]
                refused = ValidationError(invalid, code="invalid")
                raise ValidationError({"publish_at": refused}) from error
        return data


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValidationError(
            "The time zone of your device is unknown here.", code="timezone_unknown"
        ) from error

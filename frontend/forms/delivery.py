"""How a show's audio reaches listeners, as a choice with words for it."""

from typing import Any

from django import forms

from apps.media.delivery import DeliveryMode, mode_for, possible_modes
from frontend.forms.explained import ExplainedRadioSelect
from podcasts.models import Show

_MEANINGS = {
    "": "Follows what this installation does, also when that changes.",
    DeliveryMode.DIRECT: "Longwave sends every byte itself and counts downloads as they happen.",
    DeliveryMode.REDIRECT: "Apps are led to the storage bucket, by addresses that expire. The "
    "bucket carries the load; what it sends is not counted here.",
    DeliveryMode.CDN: "Apps are led to CloudFront, which is near every listener and made for "
    "large audiences. What it sends stands in its own logs and is not counted as it happens.",
}


class DeliveryField(forms.ChoiceField):
    """The modes that this installation can do, and the one that is stored in any case."""

    empty_values = [None]  # the empty text is a choice; none at all is an error

    def __init__(self, stored: str) -> None:
        modes = possible_modes()
        choices = [("", f"As usual here: {mode_for('').label.lower()}")]
        choices += [(mode.value, mode.label) for mode in modes]
        meanings = dict(_MEANINGS)
        if stored and stored not in modes:
            choices.append((stored, f"{DeliveryMode(stored).label}: not possible here"))
            meanings[stored] = "Longwave sends the audio itself until this is possible again."
        super().__init__(
            label="Who sends the audio", choices=choices, widget=ExplainedRadioSelect(meanings)
        )

    def to_python(self, value: Any) -> Any:
        return value


def has_choice(stored: str) -> bool:
    """Whether there is anything to choose, or to know, about a show with this stored choice."""
    return stored != "" or len(possible_modes()) > 1


def lost_delivery(show: Show) -> str:
    """The label of the mode that was chosen for a show and can't be done here now; else empty."""
    is_lost = show.delivery not in ("", *possible_modes())
    return DeliveryMode(show.delivery).label if is_lost else ""

"""Forms that make API tokens."""

from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django import forms

from apps.accounts.roles import TOKEN_ROLES, Role
from apps.accounts.scopes import MEANINGS, Scope
from apps.accounts.tokens import DEFAULT_LIFETIME
from apps.core.clock import now
from frontend.forms.explained import ExplainedCheckboxes, ExplainedRadioSelect
from podcasts.querysets import ShowQuerySet

_ROLES = {
    Role.ANALYST: "Sees, and changes nothing.",
    Role.EDITOR: "Makes, changes and publishes episodes.",
    Role.ADMIN: "Also makes and deletes shows and invites people.",
}
_ALL_SHOWS = "all"
_NEVER = "never"
_LIFETIMES = [
    (str(timedelta(days=30).days), "In 30 days"),
    (str(timedelta(days=90).days), "In 90 days"),
    (str(DEFAULT_LIFETIME.days), "In a year"),
    (_NEVER, "Never"),
]


class TokenForm(forms.Form):
    """What a person's token may do, where, and how long."""

    name = forms.CharField(
        label="Name",
        max_length=100,
        help_text="Where you will use it, for example “Publishing script”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label="What may it do?",
        choices=Scope.choices,
        widget=ExplainedCheckboxes({scope.value: text for scope, text in MEANINGS.items()}),
        error_messages={"required": "Choose at least one."},
    )
    show = forms.ChoiceField(label="Which shows?", initial=_ALL_SHOWS)
    lifetime = forms.ChoiceField(
        label="When does it expire?",
        choices=_LIFETIMES,
        initial=_LIFETIMES[2][0],
    )

    def __init__(self, *args: Any, shows: ShowQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        show = cast("forms.ChoiceField", self.fields["show"])
        show.choices = _show_choices(shows)

    def token_fields(self) -> dict[str, Any]:
        """What the service takes."""
        chosen = self.cleaned_data
        return {
            "name": chosen["name"],
            "scopes": [Scope(scope) for scope in chosen["scopes"]],
            "show_id": None if chosen["show"] == _ALL_SHOWS else UUID(chosen["show"]),
            "expires_at": _expiry(chosen["lifetime"]),
        }


class OrganizationTokenForm(TokenForm):
    """As for a person's, with the role that an organisation's token has of its own."""

    role = forms.ChoiceField(
        label="As what?",
        initial=Role.EDITOR,
        choices=[(role.value, role.label) for role in TOKEN_ROLES],
        widget=ExplainedRadioSelect({role.value: text for role, text in _ROLES.items()}),
    )
    field_order = ("name", "role", "scopes", "show", "lifetime")

    def token_fields(self) -> dict[str, Any]:
        """What the service takes."""
        return {**super().token_fields(), "role": Role(self.cleaned_data["role"])}


def _show_choices(shows: ShowQuerySet) -> list[tuple[str, str]]:
    """By title; where shows of several organisations are meant, with its name."""
    found = list(shows.order_by("title", "id").values_list("id", "title", "organization__name"))
    has_one_owner = len({owner for _, _, owner in found}) < 2
    named = [
        (str(pk), title if has_one_owner else f"{title} ({owner})") for pk, title, owner in found
    ]
    return [(_ALL_SHOWS, "All that there are, and new ones"), *named]


def _expiry(days: str) -> datetime | None:
    return None if days == _NEVER else now() + timedelta(days=int(days))

"""Forms about an organisation and its people."""

from typing import cast

from django import forms

from apps.accounts.models import Membership, Organization
from apps.accounts.roles import Role


def roles_up_to(strongest: str) -> list[tuple[str, str]]:
    """The choices of roles that somebody with this role may give."""
    return [(role.value, role.label) for role in Role if Role(strongest).includes(role)]


class OrganizationForm(forms.ModelForm[Organization]):
    """The organisation's name."""

    class Meta:
        model = Organization
        fields = ("name",)


class InvitationForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": "name@example.com"}),
    )
    role = forms.ChoiceField(label="Role", initial=Role.EDITOR)

    def __init__(self, *args: object, actor: Membership, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        role = cast("forms.ChoiceField", self.fields["role"])
        role.choices = roles_up_to(actor.role)


class RoleForm(forms.Form):
    """Another role for a member."""

    role = forms.ChoiceField(choices=Role.choices)

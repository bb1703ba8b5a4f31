"""What is asked at sign-up beyond address and password, and what a new person gets."""

from django import forms
from django.http import HttpRequest

from apps.accounts.invitations import open_invitation_in_session
from apps.accounts.models import User
from apps.accounts.services import found_organization


class SignupForm(forms.Form):
    """allauth mixes this into its own form and calls ``signup`` once the account exists."""

    name = forms.CharField(
        label="Your name",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    organization_name = forms.CharField(
        label="Organisation",
        max_length=100,
        required=False,
        help_text="Your network, company or pen name. You can change it later.",
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    field_order = ("name", "organization_name", "email", "password1")

    def signup(self, request: HttpRequest, user: User) -> None:
        """Found the person's organisation, unless they came to join another."""
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])
        if open_invitation_in_session(request) is None:
            name = self.cleaned_data["organization_name"] or f"{user.name}’s podcasts"[:100]
            found_organization(owner=user, name=name)

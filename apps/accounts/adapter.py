"""What allauth asks of us: whether one may sign up."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest

from apps.accounts.invitations import open_invitation_in_session


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Longwave's rules for accounts."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Open as configured; somebody who follows an invitation may always sign up."""
        return bool(settings.SIGNUP_OPEN) or open_invitation_in_session(request) is not None

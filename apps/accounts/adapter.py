"""What allauth asks of us: whether one may sign up, and who is asking."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from apps.accounts.invitations import open_invitation_in_session
from apps.core.addresses import client_address


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Longwave's rules for accounts."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Open as configured; somebody who follows an invitation may always sign up."""
        return bool(settings.SIGNUP_OPEN) or open_invitation_in_session(request) is not None

    def get_client_ip(self, request: HttpRequest) -> str:
        """What allauth's rate limits are kept by: the client's address behind our proxies."""
        peer = request.META.get("REMOTE_ADDR")
        address = client_address(peer, request.headers.get("X-Forwarded-For", ""))
        if not address:
            raise PermissionDenied("The request has no client address.")
        return address

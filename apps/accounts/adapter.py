"""What allauth asks of us: whether one may sign up, who is asking, and where links lead."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

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

    def send_mail(self, template_prefix: str, email: str, context: Mapping[str, Any]) -> None:
        """Links lead to the configured origin: allauth's would lead where the Host header says."""
        links = {
            name: at_our_origin(value) for name, value in context.items() if name.endswith("_url")
        }
        super().send_mail(template_prefix, email, {**context, **links})

    def is_safe_url(self, url: str | None) -> bool:
        """Where ``next`` may lead: to our own pages, not to any host that we would answer as."""
        ours = urlsplit(settings.BASE_URL)
        return url_has_allowed_host_and_scheme(
            url, allowed_hosts={ours.netloc}, require_https=ours.scheme == "https"
        )


def at_our_origin(url: str) -> str:
    """The same path and query under BASE_URL."""
    return settings.BASE_URL + urlsplit(url)._replace(scheme="", netloc="").geturl()

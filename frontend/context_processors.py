"""What the page frames need to know: who is here and under which organisation they work."""

from typing import cast

from django.conf import settings
from django.http import Http404, HttpRequest
from django.utils.functional import cached_property

from apps.accounts.access import current_membership, memberships_of
from apps.accounts.models import Membership, Organization, User


class Shell:
    """Asked by the frame's templates; a page that doesn't ask costs no query."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def user(self) -> User | None:
        """The signed-in person; error pages may be rendered before anybody was looked up."""
        user = getattr(self._request, "user", None)
        return cast("User", user) if user is not None and user.is_authenticated else None

    @cached_property
    def membership(self) -> Membership | None:
        """The membership under which the person works now."""
        if self.user is None:
            return None
        try:
            return current_membership(self._request)
        except Http404:
            return None

    @cached_property
    def memberships(self) -> list[Membership]:
        """All organisations the person can switch to."""
        return list(memberships_of(self.user)) if self.user else []

    @property
    def organization(self) -> Organization | None:
        """The current organisation."""
        return self.membership.organization if self.membership else None


def longwave(request: HttpRequest) -> dict[str, object]:
    """``shell`` for the frames, ``base_url`` for absolute addresses."""
    return {
        "shell": Shell(request),
        "base_url": settings.BASE_URL,
        "signup_open": settings.SIGNUP_OPEN,
    }

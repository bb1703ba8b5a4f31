"""Who may see which board."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.http import Http404

from apps.accounts.access import require_role
from apps.live.groups import Board, Kind
from podcasts.access import get_episode, get_show

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from apps.accounts.models import User


def require_board(user: "User | AnonymousUser", board: Board) -> None:
    """Http404 for a stranger, PermissionDenied for too weak a role; the platform's is for staff."""
    match board:
        case Board(Kind.ORGANIZATION, UUID() as organization_id):
            require_role(user, organization_id)
        case Board(Kind.SHOW, UUID() as show_id):
            get_show(user, show_id)
        case Board(Kind.EPISODE, UUID() as episode_id):
            get_episode(user, episode_id)
        case _:
            if not getattr(user, "is_staff", False):
                raise Http404("There is no such page.")

"""Who may see which board."""

from uuid import UUID

from django.http import Http404

from apps.accounts.access import require_role
from apps.accounts.actors import Actor
from apps.live.groups import Board, Kind
from podcasts.access import get_episode, get_show


def require_board(actor: Actor, board: Board) -> None:
    """Http404 for a stranger, PermissionDenied for too weak a role; the platform's is for staff."""
    match board:
        case Board(Kind.ORGANIZATION, UUID() as organization_id):
            require_role(actor, organization_id)
        case Board(Kind.SHOW, UUID() as show_id):
            get_show(actor, show_id)
        case Board(Kind.EPISODE, UUID() as episode_id):
            get_episode(actor, episode_id)
        case _:
            if not getattr(actor, "is_staff", False):
                raise Http404("There is no such page.")

"""Which lists can be listened to, where their rows are, and who may."""

from uuid import UUID

from api.episodes.views import EpisodesView
from api.live.wishes import LiveList, Parts, Place
from apps.accounts.actors import Actor
from apps.core.row_news import rows_group
from podcasts.access import episodes_within, require_show


def _of_show(show_id: UUID) -> Place:
    return Place(rows_group("episodes", "show", show_id), (("show", show_id),))


def _episodes_of_show(actor: Actor, parts: Parts) -> list[Place]:
    require_show(actor, parts["show_id"])
    return [_of_show(parts["show_id"])]


SHOW_EPISODES = LiveList(EpisodesView, _episodes_of_show, episodes_within)

"""One change to many episodes of a show, each of which succeeds or fails by itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from podcasts.models import Episode, Show

type Change = Callable[[Episode], object]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one episode."""

    episode_id: UUID
    refusal: ValidationError | None  # None: it was changed


@transaction.atomic
def change_each(
    *, show: Show, episode_ids: Sequence[UUID], change: Change, in_trash: bool = False
) -> list[Outcome]:
    """Make the change to each episode in this order, and say how each fared.

    A refused one is as it was, and stops no other; those that were changed are committed
    together. An episode that isn't in the show (or, as asked, in the trash) has the code
    not_found.
    """
    episodes = Episode.objects.for_show(show)
    wanted = episodes.in_trash() if in_trash else episodes.alive()
    # Held in the order in which everybody takes episodes, whatever order was asked for.
    held = wanted.filter(pk__in=episode_ids).select_for_update(of=("self",)).order_by("pk")
    rows = {episode.pk: episode for episode in held}
    return [_changed(episode_id, rows.get(episode_id), change) for episode_id in episode_ids]


def _changed(episode_id: UUID, episode: Episode | None, change: Change) -> Outcome:
    if episode is None:
        missing = ValidationError("There is no such episode in this show.", code="not_found")
        return Outcome(episode_id, missing)
    try:
        with transaction.atomic():
            change(episode)
    except ValidationError as refusal:
        return Outcome(episode_id, refusal)
    return Outcome(episode_id, None)

"""Which copies at the CDN a change of episodes makes stale."""

from collections.abc import Iterable
from uuid import UUID

from apps.media.delivery import DeliveryMode
from apps.media.delivery.configuration import CdnWay
from apps.media.delivery.modes import choices_of_mode
from apps.media.delivery.stale import forget_at_cdn, invalidating_way
from podcasts import urls
from podcasts.models import Episode


def forget_episodes_at_cdn(episode_ids: Iterable[UUID]) -> None:
    """In a change's transaction: the CDN forgets these episodes' audio once it is committed.

    Only a CDN that reads this server has anything under an episode's address; what it reads from
    the bucket never changes. Each path costs money, so those that can't be there are left out:
    of episodes that never were public, and of shows that it doesn't serve.
    """
    if invalidating_way() is not CdnWay.PUBLIC:
        return
    kept = Episode.objects.filter(
        pk__in=list(episode_ids),
        published_at__isnull=False,
        show__delivery__in=choices_of_mode(DeliveryMode.CDN),
    )
    forget_at_cdn(f"{urls.media_folder(pk)}*" for pk in kept.values_list("pk", flat=True))

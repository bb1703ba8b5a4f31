"""What CloudFront must forget, noted in the transaction of the change that made it stale."""

from collections.abc import Iterable
from itertools import batched
from urllib.parse import quote

from django.conf import settings
from django.db import transaction

from apps.media.delivery.configuration import CdnWay, cdn
from apps.media.delivery.tasks import invalidate_cdn
from apps.media.models import CdnInvalidation

# CloudFront works on at most so many paths with a wildcard at once, of all requests together.
_PATHS_AT_ONCE = 15
# Other processes must have heard of the change before the CDN asks one of them again.
_COUNTDOWN_SECONDS = 2


def invalidating_way() -> CdnWay | None:
    """How the distribution that can be told to forget reads files; None when there is none."""
    found = cdn() if settings.CDN_DISTRIBUTION else None
    return None if found is None else found.way


def forget_at_cdn(paths: Iterable[str]) -> None:
    """In a change's transaction: once it is committed, the CDN is told to forget these paths.

    A note is left in the database, so that neither a broker nor a CDN that is away can lose it.
    """
    batches = list(batched(paths, _PATHS_AT_ONCE, strict=False))
    if not batches or invalidating_way() is None:
        return
    CdnInvalidation.objects.bulk_create(CdnInvalidation(paths=list(some)) for some in batches)
    transaction.on_commit(
        lambda: invalidate_cdn.apply_async(countdown=_COUNTDOWN_SECONDS), robust=True
    )


def forget_object_at_cdn(key: str) -> None:
    """The same for a stored object that is deleted, where the CDN reads the bucket."""
    if invalidating_way() is CdnWay.SIGNED:
        forget_at_cdn([f"/{quote(key)}"])

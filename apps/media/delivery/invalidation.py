"""Telling CloudFront to forget what is no longer so, until it has taken it."""

import logging
from datetime import timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import transaction

from apps.core.clock import now
from apps.media.models import CdnInvalidation

logger = logging.getLogger(__name__)

_FIRST_PAUSE = timedelta(seconds=20)  # longer than one request takes: nobody sends it meanwhile
_LONGEST_PAUSE = timedelta(minutes=15)
# For how long CloudFront keeps what says nothing of it, as objects in the bucket do.
_DEFAULT_AGE = timedelta(days=1)


def send_due() -> int:
    """Send what is due, oldest first, and return how much was taken.

    May run twice and beside itself: CloudFront takes a request that it knows for the same one.
    After a refusal it stops: most likely too many are under way there. A later run goes on.
    """
    taken = 0
    while (due := _claim()) is not None:
        if not _send(due):
            break
        taken += 1
    return taken


@transaction.atomic
def _claim() -> CdnInvalidation | None:
    """The longest due one, which others leave alone for a while."""
    due = (
        CdnInvalidation.objects.select_for_update(skip_locked=True)
        .filter(due_at__lte=now())
        .order_by("due_at", "created_at")
        .first()
    )
    if due is None:
        return None
    due.due_at = now() + min(_FIRST_PAUSE * 2 ** min(due.attempts, 10), _LONGEST_PAUSE)
    due.attempts += 1
    due.save(update_fields=["due_at", "attempts"])
    return due


def _send(due: CdnInvalidation) -> bool:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        _client().create_invalidation(
            DistributionId=settings.CDN_DISTRIBUTION,
            InvalidationBatch={
                "Paths": {"Quantity": len(due.paths), "Items": due.paths},
                "CallerReference": str(due.pk),
            },
        )
    except (BotoCoreError, ClientError) as error:
        _keep_or_give_up(due, error)
        return False
    due.delete()
    return True


def _keep_or_give_up(due: CdnInvalidation, error: Exception) -> None:
    """Until the copies have expired by themselves."""
    if due.created_at < now() - max(timedelta(seconds=settings.CDN_MAX_AGE_SECONDS), _DEFAULT_AGE):
        logger.error("The CDN was not told to forget %s: %s", due.paths, error)
        due.delete()
    else:
        logger.warning("The CDN is told to forget %s later again: %s", due.paths, error)


@cache
def _client() -> Any:
    import boto3  # takes a third of a second to load
    from botocore.config import Config

    return boto3.session.Session().client(
        "cloudfront",
        region_name="us-east-1",  # CloudFront is global, and signs for this one
        aws_access_key_id=settings.CDN_ACCESS_KEY_ID,
        aws_secret_access_key=settings.CDN_SECRET_ACCESS_KEY,
        config=Config(
            retries={"mode": "standard", "max_attempts": 2}, connect_timeout=3, read_timeout=5
        ),
    )

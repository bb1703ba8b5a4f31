"""Settings of media that contradict each other, said before they cost somebody a file."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks

# Whoever follows an address at its end may listen for hours more.
LONGEST_STREAM = timedelta(days=1)


def check_media(**kwargs: Any) -> list[checks.CheckMessage]:
    """To be registered with Django's checks."""
    return [*_check_garbage(), *_check_bucket()]


def _check_garbage() -> Iterator[checks.CheckMessage]:
    addresses = max(settings.REDIRECT_LIFETIME_SECONDS, settings.CDN_LIFETIME_SECONDS)
    # They are signed for twice their lifetime, to be given out during half of it.
    shortest = LONGEST_STREAM + 2 * timedelta(seconds=addresses)
    if shortest > settings.GARBAGE_GRACE:
        yield checks.Error(
            "LONGWAVE_GARBAGE_GRACE_DAYS is too short.",
            hint="Apps still fetch a file that was replaced, at addresses that were given out "
            f"before. With these lifetimes of addresses it must be {shortest / timedelta(days=1):g}"
            " days or longer.",
            id="media.E001",
        )


def _check_bucket() -> Iterator[checks.CheckMessage]:
    has_keys = bool(settings.AWS_ACCESS_KEY_ID), bool(settings.AWS_SECRET_ACCESS_KEY)
    if not settings.S3_BUCKET:
        if settings.S3_ENDPOINT_URL:
            yield checks.Warning(
                "S3_ENDPOINT_URL is set but S3_BUCKET is not: files are kept on the disk.",
                hint="Name the bucket in S3_BUCKET.",
                id="media.W001",
            )
        return
    if has_keys[0] != has_keys[1]:
        yield checks.Error(
            "Only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set.",
            hint="Set both, or none where the machine has a role of its own.",
            id="media.E002",
        )
    if not settings.S3_REGION:
        yield checks.Error(
            "S3_REGION is empty, so that addresses can't be signed.",
            hint="Name the bucket's region; us-east-1 does for most services but Amazon's.",
            id="media.E003",
        )
    if settings.IS_HTTPS and urlsplit(settings.S3_UPLOAD_ORIGIN).scheme != "https":
        yield checks.Warning(
            "Pages come by https, but S3_UPLOAD_ORIGIN does not: browsers refuse to upload there.",
            hint="Give the S3 service a certificate, and an https address in S3_ENDPOINT_URL.",
            id="media.W002",
        )

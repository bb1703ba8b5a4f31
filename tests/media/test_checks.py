"""Contradicting settings are told by manage.py check."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings

from apps.media.checks import check_media

BUCKET: dict[str, Any] = {
    "S3_BUCKET": "media",
    "S3_ENDPOINT_URL": None,
    "S3_REGION": "eu-central-1",
    "S3_UPLOAD_ORIGIN": "https://media.s3.eu-central-1.amazonaws.com",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "IS_HTTPS": True,
    "GARBAGE_GRACE": timedelta(days=7),
    "REDIRECT_LIFETIME_SECONDS": 3600,
    "CDN_LIFETIME_SECONDS": 3600,
}
PLAIN = "http://127.0.0.1:8333"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, []),
        ({"AWS_SECRET_ACCESS_KEY": None}, ["media.E002"]),
        ({"AWS_ACCESS_KEY_ID": None}, ["media.E002"]),
        ({"S3_REGION": ""}, ["media.E003"]),
        ({"S3_UPLOAD_ORIGIN": PLAIN}, ["media.W002"]),
        ({"S3_UPLOAD_ORIGIN": PLAIN, "IS_HTTPS": False}, []),
        ({"S3_BUCKET": None}, []),
        ({"S3_BUCKET": None, "S3_ENDPOINT_URL": PLAIN}, ["media.W001"]),
        ({"GARBAGE_GRACE": timedelta(hours=25)}, ["media.E001"]),
        ({"GARBAGE_GRACE": timedelta(hours=26)}, []),
        ({"REDIRECT_LIFETIME_SECONDS": 4 * 86_400}, ["media.E001"]),
        ({"CDN_LIFETIME_SECONDS": 4 * 86_400}, ["media.E001"]),
        ({"CDN_LIFETIME_SECONDS": 3 * 86_400}, []),
    ],
)
def test_settings_that_contradict_each_other_are_told(
    settings: LazySettings, changed: dict[str, Any], expected: list[str]
) -> None:
    for name, value in (BUCKET | changed).items():
        setattr(settings, name, value)
    assert [message.id for message in check_media()] == expected

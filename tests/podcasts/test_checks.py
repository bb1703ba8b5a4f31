"""What ``manage.py check`` says of settings and shows that don't fit together."""

from collections.abc import Mapping

import pytest
from django.conf import LazySettings
from django.core.checks import run_checks

from podcasts.checks import check_stored_delivery
from tests.factories import ShowFactory
from tests.media.test_cdn_signing import pem, private_key

SECRET = "a-secret-of-the-origin"
PUBLIC = {"CDN_DOMAIN": "d111.cloudfront.net", "CDN_ORIGIN_SECRETS": [SECRET]}
SIGNED = {
    "CDN_DOMAIN": "d111.cloudfront.net",
    "CDN_KEY_PAIR_ID": "K2JCJMDEHXQW5F",
    "CDN_PRIVATE_KEY": pem(private_key()),
    "S3_BUCKET": "media",
    "S3_UPLOAD_ORIGIN": "https://media.s3.amazonaws.com",
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, set()),
        ({"DELIVERY": "fast"}, {"media.W011"}),
        ({"DELIVERY": "redirect"}, {"media.W012"}),
        ({"DELIVERY": "cdn"}, {"media.W012"}),
        ({"DELIVERY": "redirect", "S3_BUCKET": "media"}, set()),
        ({"CDN_DOMAIN": "d111.cloudfront.net"}, {"media.W013"}),
        ({"DELIVERY": "cdn", "CDN_DOMAIN": "d111.cloudfront.net"}, {"media.W012", "media.W013"}),
        (SIGNED | {"DELIVERY": "cdn"}, set()),
        (SIGNED | {"CDN_ORIGIN_SECRETS": [SECRET]}, {"media.W014"}),
        (PUBLIC, {"media.W015"}),
        (PUBLIC | {"CDN_DISTRIBUTION": "EDFDVBD6EXAMPLE"}, set()),
        ({"CDN_PROXY_SECRETS": [SECRET]}, set()),
        ({"CDN_PROXY_SECRETS": [SECRET, "short"]}, {"media.W016"}),
        (PUBLIC | {"CDN_PROXY_SECRETS": [SECRET]}, {"media.W015", "media.W016"}),
    ],
)
def test_settings_of_delivery_are_judged(
    changes: Mapping[str, object], expected: set[str], settings: LazySettings
) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    of_delivery = {f"media.W01{number}" for number in range(1, 7)}
    found = {message.id for message in run_checks()}
    assert found & of_delivery == expected


@pytest.mark.django_db
def test_shows_whose_mode_is_not_possible_any_more_are_counted(settings: LazySettings) -> None:
    for choice in ("", "direct", "redirect", "redirect", "cdn"):
        ShowFactory(delivery=choice)
    settings.S3_BUCKET = None
    found = check_stored_delivery(databases=["default"])
    assert {message.id for message in found} == {"podcasts.W001"}
    assert [message.msg for message in found] == [
        "Shows set to the delivery mode “cdn”, which this installation can't do: 1.",
        "Shows set to the delivery mode “redirect”, which this installation can't do: 2.",
    ]
    settings.S3_BUCKET = "media"
    assert len(check_stored_delivery(databases=["default"])) == 1


def test_no_database_is_asked_unless_it_is_to_be() -> None:
    assert check_stored_delivery(databases=None) == []

"""Preconditions and If-Range, row by row of RFC 9110 section 13."""

from datetime import UTC, datetime

import pytest

from apps.media.conditional import Outcome, evaluate, range_applies

ETAG = '"v2"'
CHANGED = datetime(2026, 11, 6, 8, 49, 37, 500_000, tzinfo=UTC)
SAME = "Fri, 06 Nov 2026 08:49:37 GMT"
EARLIER = "Fri, 06 Nov 2026 08:49:36 GMT"
LATER = "Fri, 06 Nov 2026 08:49:38 GMT"
PROCEED, NOT_MODIFIED, FAILED = Outcome.PROCEED, Outcome.NOT_MODIFIED, Outcome.FAILED


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ({}, PROCEED),
        # If-None-Match compares weakly
        ({"If-None-Match": '"v2"'}, NOT_MODIFIED),
        ({"If-None-Match": 'W/"v2"'}, NOT_MODIFIED),
        ({"If-None-Match": "*"}, NOT_MODIFIED),
        ({"If-None-Match": '"v1"'}, PROCEED),
        ({"If-None-Match": '"v1", "v2"'}, NOT_MODIFIED),
        ({"If-None-Match": '"v1","v2" , "v3"'}, NOT_MODIFIED),
        ({"If-None-Match": ', "v1",, "v2",'}, NOT_MODIFIED),
        ({"If-None-Match": '"a,b", "v2"'}, NOT_MODIFIED),
        ({"If-None-Match": '"x, "v2"'}, PROCEED),
        ({"If-None-Match": "v2"}, PROCEED),
        ({"If-None-Match": '"V2"'}, PROCEED),
        ({"If-None-Match": 'w/"v2"'}, PROCEED),
        ({"If-None-Match": '"v2'}, PROCEED),
        ({"If-None-Match": ""}, PROCEED),
        # If-Modified-Since, in the three formats of section 5.6.7
        ({"If-Modified-Since": SAME}, NOT_MODIFIED),
        ({"If-Modified-Since": LATER}, NOT_MODIFIED),
        ({"If-Modified-Since": EARLIER}, PROCEED),
        ({"If-Modified-Since": "Friday, 06-Nov-26 08:49:37 GMT"}, NOT_MODIFIED),
        ({"If-Modified-Since": "Fri Nov  6 08:49:37 2026"}, NOT_MODIFIED),
        ({"If-Modified-Since": "Sunday, 06-Nov-94 08:49:37 GMT"}, PROCEED),
        # What is no HTTP date is as if it were not there
        ({"If-Modified-Since": "2026-11-06T08:49:37Z"}, PROCEED),
        ({"If-Modified-Since": "Fri, 06 Nov 2026 08:49:37 +0000"}, PROCEED),
        ({"If-Modified-Since": "Fri, 31 Feb 2026 08:49:37 GMT"}, PROCEED),
        ({"If-Modified-Since": "Fri, 06 Nov 2026 25:49:37 GMT"}, PROCEED),
        ({"If-Modified-Since": f"{SAME}, {SAME}"}, PROCEED),
        ({"If-Modified-Since": "1793954977"}, PROCEED),
        ({"If-Modified-Since": ""}, PROCEED),
        # If-None-Match decides alone, whatever the date says
        ({"If-None-Match": '"v1"', "If-Modified-Since": LATER}, PROCEED),
        ({"If-None-Match": '"v2"', "If-Modified-Since": EARLIER}, NOT_MODIFIED),
        ({"If-None-Match": "nonsense", "If-Modified-Since": LATER}, PROCEED),
        # If-Match compares strongly
        ({"If-Match": '"v2"'}, PROCEED),
        ({"If-Match": '"v1", "v2"'}, PROCEED),
        ({"If-Match": "*"}, PROCEED),
        ({"If-Match": '"v1"'}, FAILED),
        ({"If-Match": 'W/"v2"'}, FAILED),
        ({"If-Match": "v2"}, FAILED),
        # If-Unmodified-Since
        ({"If-Unmodified-Since": SAME}, PROCEED),
        ({"If-Unmodified-Since": LATER}, PROCEED),
        ({"If-Unmodified-Since": EARLIER}, FAILED),
        ({"If-Unmodified-Since": "yesterday"}, PROCEED),
        ({"If-Match": '"v2"', "If-Unmodified-Since": EARLIER}, PROCEED),
        ({"If-Match": '"v1"', "If-Unmodified-Since": LATER}, FAILED),
        # A failed state comes before "not modified", a good one goes on to it
        ({"If-Match": '"v1"', "If-None-Match": '"v2"'}, FAILED),
        ({"If-Match": '"v2"', "If-None-Match": '"v2"'}, NOT_MODIFIED),
        ({"If-Unmodified-Since": EARLIER, "If-Modified-Since": SAME}, FAILED),
        ({"If-Unmodified-Since": SAME, "If-Modified-Since": SAME}, NOT_MODIFIED),
        ({"If-Match": '"v2"', "If-Modified-Since": EARLIER}, PROCEED),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_preconditions_of_a_read(method: str, headers: dict[str, str], outcome: Outcome) -> None:
    assert evaluate(method, headers, etag=ETAG, last_modified=CHANGED) is outcome


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ({"If-None-Match": "*"}, FAILED),
        ({"If-None-Match": '"v2"'}, FAILED),
        ({"If-None-Match": '"v1"'}, PROCEED),
        ({"If-Modified-Since": SAME}, PROCEED),
    ],
)
def test_preconditions_of_a_write(headers: dict[str, str], outcome: Outcome) -> None:
    assert evaluate("PUT", headers, etag=ETAG, last_modified=CHANGED) is outcome


def test_a_weak_tag_of_ours_never_matches_strongly() -> None:
    assert evaluate("GET", {"If-Match": 'W/"v2"'}, etag='W/"v2"', last_modified=CHANGED) is FAILED
    assert not range_applies('W/"v2"', etag='W/"v2"', last_modified=CHANGED)


@pytest.mark.parametrize(
    ("if_range", "applies"),
    [
        (None, True),
        ('"v2"', True),
        ('"v1"', False),
        ('W/"v2"', False),
        ('"v1", "v2"', False),
        ("*", False),
        ("v2", False),
        ("", False),
        (SAME, True),
        ("Friday, 06-Nov-26 08:49:37 GMT", True),
        (EARLIER, False),
        (LATER, False),  # a later date is another version's, or a guess
        ("tomorrow", False),
    ],
)
def test_if_range_lets_ranges_apply_only_to_the_same_version(
    if_range: str | None, applies: bool
) -> None:
    assert range_applies(if_range, etag=ETAG, last_modified=CHANGED) is applies

"""Several versions of one file on one day: one download, whichever version comes first."""

import itertools
from uuid import UUID

import pytest

from apps.downloads.hit import Hit
from apps.downloads.models import Coverage, Download, DropTally, HourTotal
from tests.downloads.conftest import Aired, Count, Send
from tests.downloads.making import asked, at, make_hit, whole

pytestmark = pytest.mark.usefixtures("noon")
OTHER = UUID(int=99)
# Of the same listener: sent on for one version, served two others.
SENT_ON = make_hit(status=302, when=at("09:30"))
LATE = whole(rendition=OTHER, when=at("11:30"))
EARLY = whole(rendition=UUID(int=98), when=at("10:30"))


@pytest.mark.parametrize("order", [*itertools.permutations([SENT_ON, EARLY, LATE])])
@pytest.mark.parametrize("is_one_batch", [True, False])
def test_a_download_begins_with_the_first_of_its_versions_in_any_order(
    order: tuple[Hit, ...], is_one_batch: bool, aired: Aired, send: Send, count: Count
) -> None:
    for hit in aired.hits(*order):
        send(hit)
        if not is_one_batch:
            count()
    count()

    download = Download.objects.get()
    assert (download.first_at, download.is_provisional) == (at("09:30"), False)
    assert not DropTally.objects.exists()
    hours = HourTotal.objects.filter(episode=aired.episode.id, downloads__gt=0)
    assert list(hours.values_list("hour", "downloads", "provisional")) == [(at("09:00"), 1, 0)]
    (row,) = Coverage.objects.filter(download_id=download.id)
    assert (row.attributed_at, row.is_provisional) == (at("09:30"), False)
    assert row.served


def test_bytes_of_one_version_make_certain_what_was_requested_of_another(
    aired: Aired, send: Send, count: Count
) -> None:
    send(*aired.hits(SENT_ON))
    count()
    send(*aired.hits(asked("0-699999", rendition=OTHER)))
    count()
    assert Download.objects.get().is_provisional

    send(*aired.hits(asked("700000-1399999", rendition=OTHER)))
    count()
    assert not Download.objects.get().is_provisional
    assert Coverage.objects.get(download_id__isnull=False).rendition_id == OTHER

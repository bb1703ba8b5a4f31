"""Logs and the real counter: downloads, countries, and what was counted provisionally."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection

from apps.core.clock import now
from apps.core.ids import new_id
from apps.downloads.batch import Message
from apps.downloads.closing import close_expired
from apps.downloads.counting import count
from apps.downloads.logs import seam
from apps.downloads.logs.models import AudioVersion, FileState, LogFile, LogSource
from apps.downloads.logs.sweeping import Sweeper
from apps.downloads.models import Coverage, Download, DropTally, LoggedDay
from apps.downloads.window import epoch_ms
from podcasts.models import Episode
from tests.downloads.logs import writing
from tests.downloads.logs.conftest import Killed
from tests.downloads.logs.writing import Said, request, v1_file
from tests.downloads.making import ADDRESS, NOON, THRESHOLD, make_hit
from tests.factories import OrganizationFactory

type MakeSource = Callable[..., LogSource]


def parts(path: str) -> list[Said]:
    """A listener who takes the minute in two answers, with a probe and another listener's less."""
    first = {"status": 206, "first_byte": 0, "last_byte": 699_999, "body_bytes": 700_000}
    second = {"first_byte": 700_000, "last_byte": THRESHOLD - 1, "body_bytes": THRESHOLD - 700_000}
    probe = {"status": 206, "first_byte": 0, "last_byte": 1, "body_bytes": 2}
    return [
        request(path, 1, **probe),
        request(path, 2, **first),
        request(path, 3, **first | second),
        request(path, 4, **first | {"ip": "203.0.113.77"}),
    ]


def test_answers_in_a_log_add_up_to_downloads(
    make_source: MakeSource, folder: Path, path: str, episode: Episode
) -> None:
    (folder / "log").write_bytes(v1_file(parts(path)))
    assert Sweeper(seam.count_hits).sweep(make_source()).problems == []
    download = Download.objects.get()
    assert (download.episode_id, download.organization_id) == (
        episode.id,
        episode.organization_id,
    )
    assert Coverage.objects.count() == 2
    assert DropTally.objects.get().reason == "probe"
    assert LoggedDay.objects.get().show_id == episode.show_id


def test_a_cdn_is_believed_about_countries(
    make_source: MakeSource, folder: Path, path: str
) -> None:
    row = writing.cloudfront_json(request(path, country="BR"))
    (folder / "log").write_text(row + "\n")
    Sweeper(seam.count_hits).sweep(make_source())
    assert Download.objects.get().country == "BR"


def test_the_same_log_again_counts_nothing(
    make_source: MakeSource, folder: Path, path: str
) -> None:
    (folder / "log").write_bytes(v1_file(parts(path)))
    for name in ("one", "two"):  # another source: nothing remembers that it was read
        Sweeper(seam.count_hits).sweep(make_source(name=name))
    assert Download.objects.count() == 1


def send_on(episode: Episode, **fields: Any) -> None:
    """Count a listener's request that was answered with the way to the CDN."""
    hit = make_hit(
        id=new_id(),
        status=302,
        episode=episode.id,
        show=episode.show_id,
        organization=episode.organization_id,
        rendition=AudioVersion.objects.get(episode_id=episode.id).rendition_id,
        **{"ip": ADDRESS} | fields,
    )
    count([Message(hit.to_json(), hit, epoch_ms(now()))], also=lambda: None)


def test_a_log_confirms_what_was_sent_on(
    make_source: MakeSource, folder: Path, path: str, episode: Episode
) -> None:
    send_on(episode)
    assert Coverage.objects.get().is_provisional
    (folder / "log").write_bytes(v1_file([request(path)]))
    Sweeper(seam.count_hits).sweep(make_source())
    assert Download.objects.count() == 1
    assert not Coverage.objects.filter(is_provisional=True).exists()


@pytest.mark.parametrize(
    ("owner", "has_damage", "hours_later", "left"),
    [
        ("nobody", False, 36, 1),  # all logs are read: who isn't in them received nothing
        ("nobody", False, 35, 2),  # the last of the day may not have been delivered then
        ("nobody", True, 36, 2),  # whoever isn't in what could be read may be in the rest
        ("theirs", True, 36, 2),
        ("a stranger's", True, 36, 1),  # whose logs are never about this show
    ],
)
def test_what_logs_do_not_confirm_is_taken_back_once_all_of_them_are_read(
    make_source: MakeSource,
    folder: Path,
    path: str,
    episode: Episode,
    owner: str,
    has_damage: bool,
    hours_later: int,
    left: int,
) -> None:
    send_on(episode)
    send_on(episode, ip="203.0.113.77")
    (folder / "log").write_bytes(v1_file([request(path)]))
    sources = [make_source()]
    Sweeper(seam.count_hits).sweep(sources[0])
    if has_damage:
        organizations = {"theirs": episode.organization, "a stranger's": OrganizationFactory()}
        other = folder.with_name("other")
        other.mkdir()
        (other / "log.gz").write_bytes(b"\x1f\x8bcut")
        sources.append(
            make_source(name="other", place=str(other), organization=organizations.get(owner))
        )
    noon = NOON.replace(minute=0)
    with time_machine.travel(noon + timedelta(hours=hours_later), tick=False):
        for source in sources:
            Sweeper(seam.count_hits).sweep(source)
    with time_machine.travel(noon + timedelta(days=4), tick=False):
        assert close_expired(now=now()) == 1
    assert Download.objects.count() == left
    assert Download.objects.filter(is_provisional=True).count() == left - 1


def test_the_place_in_a_file_and_what_was_counted_are_stored_together(
    make_source: MakeSource, folder: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "log").write_bytes(v1_file(parts(path)))
    source = make_source()

    def killed(*args: object, **options: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("apps.downloads.counting.settle", killed)  # after the place was stored
        with pytest.raises(Killed):
            Sweeper(seam.count_hits).sweep(source)
    assert LogFile.objects.get().position == 0
    assert not Download.objects.exists()
    Sweeper(seam.count_hits).sweep(source)
    assert LogFile.objects.get().state == FileState.DONE
    assert Download.objects.count() == 1


def test_no_address_of_a_log_is_in_the_database(
    make_source: MakeSource, folder: Path, path: str
) -> None:
    row = request(path, ip="198.51.100.231")
    (folder / "log").write_bytes(v1_file([row]) + b"broken 198.51.100.231\n")
    Sweeper(seam.count_hits).sweep(make_source())
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            assert "198.51.100.231" not in str(cursor.fetchall()), table

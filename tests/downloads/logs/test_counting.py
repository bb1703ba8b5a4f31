"""Logs and the real counter: downloads, countries, and what was counted provisionally."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from apps.core.clock import now
from apps.core.ids import new_id
from apps.downloads.batch import Message
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
from tests.downloads.making import ADDRESS, THRESHOLD, make_hit

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


def test_a_log_confirms_what_was_sent_on(
    make_source: MakeSource, folder: Path, path: str, episode: Episode
) -> None:
    said = request(path)
    hit = make_hit(
        id=new_id(),
        status=302,
        episode=episode.id,
        show=episode.show_id,
        organization=episode.organization_id,
        rendition=AudioVersion.objects.get().rendition_id,
        ip=ADDRESS,
    )
    count([Message(hit.to_json(), hit, epoch_ms(now()))], also=lambda: None)
    assert Coverage.objects.get().is_provisional
    (folder / "log").write_bytes(v1_file([said]))
    Sweeper(seam.count_hits).sweep(make_source())
    assert Download.objects.count() == 1
    assert not Coverage.objects.filter(is_provisional=True).exists()


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

"""Counting a day again, and adding up all downloads again."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection

from apps.downloads import archive, closing, months
from apps.downloads import recount as recounting
from apps.downloads.models import (
    Coverage,
    DayKey,
    DayTotal,
    Download,
    DropTally,
    HitBatch,
    ListenerTotal,
    MonthListeners,
    MonthTotal,
)
from apps.downloads.quarantine import release_address, waiting_for_review
from apps.downloads.rules import DropReason
from apps.downloads.totals import Scope, latest
from podcasts.models import Show
from tests.downloads.conftest import Aired, Count, Send
from tests.downloads.making import AGENTS, NOON, asked, at, make_hit, whole
from tests.downloads.storing import counted

pytestmark = pytest.mark.usefixtures("noon")

type Run = Callable[..., str]
TABLES = (
    *("coverage", "download", "daylistener", "hourtotal", "daytotal", "monthtotal"),
    *("listenertotal", "droptally", "montharrival", "monthlisteners"),
)


@pytest.fixture
def recount() -> Run:
    def run(*options: str) -> str:
        out = StringIO()
        call_command("recount", "--from", "2026-10-14", *options, stdout=out)
        return out.getvalue()

    return run


def rows() -> dict[str, list[str]]:
    """Everything that counting writes, without the numbers of rows of totals."""
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            numbered = table.endswith(("total", "tally", "monthlisteners"))
            cursor.execute(
                f"SELECT (to_jsonb(t) - %s)::text FROM downloads_{table} AS t ORDER BY 1",  # noqa: S608
                ["id" if numbered else ""],
            )
            found[table] = [row[0] for row in cursor.fetchall()]
    return found


def test_a_day_counted_again_by_the_same_rules_is_the_same(
    aired: Aired, send: Send, count: Count, recount: Run
) -> None:
    send(
        *aired.hits(
            whole(ip="198.51.100.1"),
            asked("0-699999", ip="198.51.100.2"),
            whole(agent="Googlebot/2.1"),
            make_hit(method="HEAD"),
            make_hit(status=302, ip="198.51.100.4"),
            whole(ip="198.51.100.5", when=at("13 20:00")),
        )
    )
    count()
    send(*aired.hits(asked("500000-1400000", ip="198.51.100.2", when=at("11:00"))))
    count()
    closing.tally_unfinished(NOON.date())
    before = rows()

    said = recount("--yes")

    assert "3 downloads, 3 when counted again (+0); 0 shows change" in said
    assert rows() == before


def test_a_list_that_knows_more_changes_the_day_and_says_so_first(
    aired: Aired, send: Send, count: Count, recount: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(*aired.hits(whole(), whole(ip="198.51.100.1", agent="FancySPIDER/1")))
    count()
    monkeypatch.setattr("apps.downloads.rules._CRAWLER", __import__("re").compile("nothing"))
    monkeypatch.setattr("apps.downloads.rules._by_agent", _without_cache())

    assert "1 downloads, 2 when counted again (+1); 1 shows change" in recount("--dry-run")
    assert (counted(), DropTally.objects.get().reason) == (1, DropReason.CRAWLER)

    recount("--yes")

    assert counted() == 2
    assert not DropTally.objects.exists()
    assert ListenerTotal.objects.get().listeners == 2
    assert (
        DayTotal.objects.get(show=aired.episode.show_id, episode=None, dimension="").downloads == 2
    )


def _without_cache() -> Any:
    from apps.downloads import rules

    return rules._by_agent.__wrapped__


def test_downloads_that_stay_keep_their_place_and_those_that_go_leave_the_totals(
    aired: Aired, send: Send, count: Count, recount: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(*aired.hits(whole(), whole(ip="198.51.100.1", agent="Pocket Casts")))
    count()
    stays = Download.objects.get(app="Overcast")
    monkeypatch.setattr(
        "apps.downloads.rules._by_agent",
        lambda text, agent: DropReason.BOT if "Pocket" in text else None,
    )

    recount("--yes")

    assert list(Download.objects.values_list("id", "counted_at")) == [(stays.id, stays.counted_at)]
    assert [line.app for line in latest(Scope(show=aired.episode.show_id))] == ["Overcast"]
    assert Coverage.objects.get().download_id == stays.id
    assert MonthTotal.objects.get(show=None, dimension="").downloads == 1
    assert {(tally.reason, tally.count) for tally in DropTally.objects.all()} == {("bot", 1)}


def test_what_arrives_between_looking_and_swapping_is_counted(
    aired: Aired, send: Send, count: Count, recount: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(*aired.hits(whole()))
    count()

    def answer(self: Any, day: Any) -> bool:
        send(*aired.hits(whole(ip="198.51.100.1")))
        count()
        return True

    monkeypatch.setattr("apps.downloads.management.commands.recount.Command._is_confirmed", answer)
    recount()

    assert counted() == 2
    call_command("rebuild_totals", "--check", stdout=StringIO())


def test_what_was_released_from_review_stays_released(
    aired: Aired, send: Send, count: Count, recount: Run, settings: Any
) -> None:
    settings.ADDRESS_CEILING = 2
    send(*aired.hits(*(whole(agent=agent) for agent in AGENTS)))
    count()
    (waiting,) = waiting_for_review()
    release_address(
        organization=waiting.organization, day=waiting.day, address_key=waiting.address_key
    )
    send(*aired.hits(whole(agent="New/1.0")))
    count()
    assert counted() == 6

    recount("--yes")

    assert counted() == 6
    assert [row.downloads for row in waiting_for_review()] == [1]


def test_a_recount_takes_nothing_from_what_was_deleted_since(
    aired: Aired, send: Send, count: Count, recount: Run
) -> None:
    send(*aired.hits(whole()))
    count()
    aired.episode.delete()

    recount("--yes")

    assert counted() == 1


@pytest.mark.parametrize("gone", ["nothing", "the episode", "the show", "the zone"])
def test_a_recount_leaves_downloads_in_their_days_of_the_show_s_zone(
    gone: str, aired: Aired, send: Send, count: Count, recount: Run
) -> None:
    show = aired.episode.show
    Show.objects.update(time_zone="Pacific/Auckland")
    send(*aired.hits(whole(), whole(ip="198.51.100.1", when=at("10:59"))))  # 23:59 in Auckland
    count()
    totals = DayTotal.objects.filter(show=show.id, episode=None, dimension="")
    before = {14: 1, 15: 1}
    assert {total.day.day: total.downloads for total in totals} == before

    match gone:
        case "the episode":
            aired.episode.delete()
        case "the show":
            show.delete()
        case "the zone":
            Show.objects.update(time_zone="America/Los_Angeles")
    recount("--yes")

    assert {total.day.day: total.downloads for total in totals.all()} == before
    assert sorted(row.local_day.day for row in Download.objects.all()) == [14, 15]


def test_what_a_recount_finds_of_a_deleted_episode_is_in_days_of_its_show(
    aired: Aired, send: Send, count: Count, recount: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    Show.objects.update(time_zone="Pacific/Auckland")
    send(*aired.hits(asked("0-1000"), whole(ip="198.51.100.1", agent="FancySPIDER/1")))
    count()
    aired.episode.delete()
    monkeypatch.setattr("apps.downloads.rules._CRAWLER", __import__("re").compile("nothing"))
    monkeypatch.setattr("apps.downloads.rules._by_agent", _without_cache())

    recount("--yes")

    assert [row.local_day.day for row in Download.objects.all()] == [15]


def test_a_day_whose_hits_are_gone_is_refused_in_words(recount: Run, db: None) -> None:
    with pytest.raises(CommandError, match="not kept any more"):
        recount("--dry-run")


def test_nothing_is_swapped_unless_somebody_says_so(
    aired: Aired, send: Send, count: Count, recount: Run
) -> None:
    send(*aired.hits(whole()))
    count()

    with pytest.raises(CommandError, match="Say --yes"):
        recount()


def test_kept_hits_open_only_with_the_key_of_their_day(
    aired: Aired, send: Send, count: Count
) -> None:
    hits = aired.hits(whole(), whole(when=at("13 20:00")))
    send(*hits)
    count()
    today, yesterday = (
        bytes(DayKey.objects.get(day=day).key) for day in (NOON.date(), at("13 20:00").date())
    )

    ((batch, messages),) = archive.read(NOON.date(), today)
    assert messages == [hits[0].to_json()]
    assert b"203.0.113" not in bytes(batch.sealed)
    with pytest.raises(archive.UnreadableError):
        list(archive.read(NOON.date(), yesterday))
    assert HitBatch.objects.count() == 2


@pytest.mark.parametrize("is_folded", [False, True])
def test_a_recount_leaves_the_listeners_of_months_as_they_are(
    is_folded: bool,
    aired: Aired,
    send: Send,
    count: Count,
    recount: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    send(*aired.hits(whole(), whole(ip="198.51.100.1", agent="FancySPIDER/1")))
    count()
    if is_folded:
        months.fold_all()
    tables = ("montharrival", "monthlisteners")
    before = {table: rows()[table] for table in tables}
    monkeypatch.setattr("apps.downloads.rules._CRAWLER", __import__("re").compile("nothing"))
    monkeypatch.setattr("apps.downloads.rules._by_agent", _without_cache())

    recount("--yes")

    assert counted() == 2
    assert {table: rows()[table] for table in tables} == before
    months.fold_all()
    assert MonthListeners.objects.get().listeners == 1


def test_totals_built_anew_leave_the_listeners_of_months_and_say_so(
    aired: Aired, send: Send, count: Count
) -> None:
    send(*aired.hits(whole()))
    count()
    months.fold_all()
    MonthListeners.objects.update(listeners=5, sketch=b"")
    before = list(MonthListeners.objects.values())
    out = StringIO()

    call_command("rebuild_totals", stdout=out)

    assert before
    assert list(MonthListeners.objects.values()) == before
    assert "Listeners of months can't be added up anew" in out.getvalue()


def test_wrong_totals_are_found_and_put_right(aired: Aired, send: Send, count: Count) -> None:
    send(*aired.hits(whole(), whole(ip="198.51.100.1")))
    count()
    right = rows()
    call_command("rebuild_totals", "--check", stdout=StringIO())
    DayTotal.objects.filter(dimension="app").update(downloads=7)
    ListenerTotal.objects.all().delete()

    with pytest.raises(CommandError, match="without --check"):
        call_command("rebuild_totals", "--check", stdout=StringIO())
    call_command("rebuild_totals", stdout=StringIO())

    assert rows() == right


def test_a_day_that_ended_72_hours_ago_but_is_not_closed_yet_is_counted_as_it_was(
    aired: Aired, send: Send, count: Count, recount: Run, noon: time_machine.Traveller
) -> None:
    send(*aired.hits(whole(), asked("0-1000", ip="198.51.100.1")))
    count()
    before = rows()["download"]
    noon.move_to(NOON.replace(day=18, hour=0))

    assert "1 downloads, 1 when counted again (+0); 0 shows change" in recount("--yes")

    assert rows()["download"] == before
    assert not DropTally.objects.exclude(reason="below_threshold").exists()


def test_a_day_that_is_closed_before_the_answer_is_not_swapped(
    aired: Aired, send: Send, count: Count
) -> None:
    send(*aired.hits(whole()))
    count()
    found = recounting.recount(NOON.date())
    closing.close_expired(now=NOON.replace(day=18, hour=0))

    with pytest.raises(recounting.NotKeptError):
        recounting.swap(found)
    recounting.forget()

    assert counted() == 1

"""An installation of the first version is migrated: what it had counted is in its new place."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from apps.downloads import sketch
from tests.downloads.stored import stored_totals
from tests.downloads.storing import store_download
from tests.factories import EpisodeFactory, ShowFactory

PROJECT = Path(__file__).resolve().parents[2]
OPEN, CLOSED = date(2026, 10, 14), date(2026, 10, 2)
SHOW, EPISODE, RENDITION = (UUID(int=number) for number in (1, 2, 3))
ORGANIZATION = UUID(int=4)
KEY = b"k" * 32
NAME = f"scratch_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}_{os.getpid()}"

_OLD = """
INSERT INTO downloads_coverage (
    organization_id, show_id, episode_id, rendition_id, day, listener_key, address_key, served,
    threshold_bytes, first_at, counted_at, quarantined_at, app, category, device, platform, country
) VALUES (%s, %s, %s, %s, %s, %s, %s, %s::int8multirange, 100, %s, %s, %s, %s, 'app', '', '', 'DE')
"""


@pytest.fixture
def scratch() -> Iterator[str]:
    """The address of an empty database."""
    server = connection.settings_dict
    address = (
        f"postgresql://{server['USER']}:{server['PASSWORD']}@{server['HOST']}:{server['PORT']}"
    )
    with psycopg.connect(f"{address}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {NAME}")
        try:
            yield f"{address}/{NAME}"
        finally:
            admin.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


def migrate(address: str, *target: str) -> None:
    manage(address, "migrate", "--verbosity=0", *target)


def manage(address: str, *command: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=PROJECT,
        env=os.environ | {"DATABASE_URL": address},
        check=True,
        timeout=120,
    )


def old_row(day: date, listener: int, *, hour: int, state: str, app: str = "Overcast") -> Any:
    """A row of coverage as the first version had it."""
    at = datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC)
    end = 99 if state == "open" else 100
    return (
        ORGANIZATION,
        SHOW,
        EPISODE if state != "other episode" else UUID(int=22),
        RENDITION,
        day,
        bytes([listener]) * 32,
        bytes([200 + listener]) * 32,
        f"{{[0,{end})}}",
        at,
        None if state in {"open", "held"} else at,
        at if state == "held" else None,
        app,
    )


def fill(database: psycopg.Connection[Any]) -> None:
    """An open day and a closed one with two listeners who counted, one held and two unfinished."""
    fields = database.execute(
        "SELECT column_name, data_type FROM information_schema.columns "
        "WHERE table_name = 'accounts_organization' AND is_nullable = 'NO'"
    ).fetchall()
    samples = {"uuid": ORGANIZATION, "timestamp with time zone": datetime.now(UTC)}
    samples |= {"boolean": False, "bigint": 0, "integer": 0}
    database.execute(
        sql.SQL("INSERT INTO accounts_organization ({}) VALUES ({})").format(
            sql.SQL(", ").join(sql.Identifier(name) for name, _ in fields),
            sql.SQL(", ").join(sql.Placeholder() * len(fields)),
        ),
        [samples.get(kind, "x") for _, kind in fields],
    )
    database.execute("INSERT INTO downloads_daykey (day, key) VALUES (%s, %s)", [OPEN, KEY])
    for day in (OPEN, CLOSED):
        for row in (
            old_row(day, 1, hour=9, state="counted"),
            old_row(day, 1, hour=11, state="other episode"),
            old_row(day, 2, hour=23, state="counted", app="Castro"),
            old_row(day, 3, hour=10, state="held"),
            old_row(day, 4, hour=10, state="open"),
            old_row(day, 5, hour=10, state="open"),
        ):
            database.execute(_OLD, row)
    database.execute(
        "INSERT INTO downloads_droptally (day, organization_id, show_id, episode_id, reason, count)"
        " VALUES (%s, %s, %s, %s, 'bot', 7)",
        [CLOSED, ORGANIZATION, SHOW, EPISODE],
    )


type Ask = Callable[..., list[Any]]


def assert_downloads_moved(ask: Ask, day: date) -> None:
    assert ask(
        "SELECT episode_id, local_day, app, country, extract(hour FROM first_at AT TIME "
        "ZONE 'UTC')::int, is_first_of_listener, is_provisional, held_address "
        "FROM downloads_download WHERE day = %s ORDER BY id",
        day,
    ) == [
        (EPISODE, day, "Overcast", "DE", 9, True, False, None),
        (UUID(int=22), day, "Overcast", "DE", 11, False, False, None),
        (EPISODE, day, "Castro", "DE", 23, True, False, None),
        (EPISODE, day, "Overcast", "DE", 10, True, False, b"\xcb" * 16),
    ]


def assert_totals_of_day(ask: Ask, day: date) -> None:
    assert ask("SELECT listeners FROM downloads_listenertotal WHERE day = %s", day) == [(2,)]
    assert ask(
        "SELECT sum(downloads) FROM downloads_hourtotal WHERE show_id = %s "
        "AND episode_id IS NULL AND (hour AT TIME ZONE 'UTC')::date = %s",
        SHOW,
        day,
    ) == [(3,)]
    assert ask(
        "SELECT value, downloads FROM downloads_daytotal WHERE show_id IS NULL "
        "AND dimension = 'app' AND day = %s ORDER BY value",
        day,
    ) == [("Castro", 1), ("Overcast", 2)]


def assert_only_the_open_day_grows_on(ask: Ask) -> None:
    """Of the open day all rows are there, of the closed one the number of them is left."""
    assert ask("SELECT day, count(*), count(download_id) FROM downloads_coverage GROUP BY day") == [
        (OPEN, 6, 4)
    ]
    assert ask(
        "SELECT count(*) FROM downloads_coverage JOIN downloads_download AS made "
        "ON made.id = download_id AND made.episode_id = downloads_coverage.episode_id"
    ) == [(4,)]
    assert ask("SELECT count(*) FROM downloads_daylistener WHERE day = %s", OPEN) == [(3,)]
    assert ask("SELECT day, reason, count FROM downloads_droptally ORDER BY reason") == [
        (CLOSED, "below_threshold", 2),
        (CLOSED, "bot", 7),
    ]
    assert ask("SELECT day, key FROM downloads_daykey") == [(OPEN, KEY)]


def test_what_the_first_version_counted_is_there_after_migrating(scratch: str) -> None:
    migrate(scratch, "downloads", "0002")
    with psycopg.connect(scratch) as database:
        fill(database)

    migrate(scratch)

    with psycopg.connect(scratch) as database:

        def ask(query: str, *values: object) -> list[Any]:
            return database.execute(query, values).fetchall()

        for day in (OPEN, CLOSED):
            assert_downloads_moved(ask, day)
            assert_totals_of_day(ask, day)
        assert ask(
            "SELECT month, downloads FROM downloads_monthtotal "
            "WHERE show_id = %s AND episode_id IS NULL AND dimension = ''",
            SHOW,
        ) == [(date(2026, 10, 1), 6)]
        assert ask(
            "SELECT value, downloads FROM downloads_monthtotal "
            "WHERE episode_id = %s AND dimension = 'app' ORDER BY value",
            EPISODE,
        ) == [("Castro", 2), ("Overcast", 2)]
        assert_only_the_open_day_grows_on(ask)
        last = ask("SELECT max(id) FROM downloads_download")
        assert ask("SELECT nextval('downloads_download_id_seq')") > last
        assert ask("SELECT to_regclass('downloads_oldcoverage')") == [(None,)]
    manage(scratch, "rebuild_totals", "--check")  # as what counts today would add up


def test_an_empty_installation_of_the_first_version_is_migrated(scratch: str) -> None:
    migrate(scratch, "downloads", "0002")
    migrate(scratch)

    with psycopg.connect(scratch) as database:
        assert database.execute("SELECT count(*) FROM downloads_download").fetchone() == (0,)
        database.execute("SELECT nextval('downloads_download_id_seq')")


@pytest.mark.django_db
def test_months_of_episodes_are_added_up_from_their_days() -> None:
    migration = import_module("apps.downloads.migrations.0007_first_days_and_months")
    show = ShowFactory(time_zone="Pacific/Auckland")
    for days in range(0, 70, 10):
        at = datetime(2026, 10, 14, 12, tzinfo=UTC) - timedelta(days=days)
        app = "Castro" if days % 20 else "Overcast"
        store_download(EpisodeFactory(show=show), at=at, app=app, is_provisional=days > 30)
    before = stored_totals()

    for statement in (migration.FORGET, migration.MONTHS):
        with connection.cursor() as cursor:
            cursor.execute(statement)

    assert stored_totals() == before


def test_whoever_goes_back_before_arrivals_loses_no_listener_that_still_waits(scratch: str) -> None:
    migrate(scratch)
    marks = sketch.marks([bytes([number]) * 16 for number in range(1, 20)])
    with psycopg.connect(scratch) as database:
        database.execute(
            "INSERT INTO downloads_montharrival (show_id, month, batch, organization_id, marks) "
            "VALUES (%s, '2026-10-01', %s, %s, %s)",
            [SHOW, EPISODE, ORGANIZATION, marks],
        )

    migrate(scratch, "downloads", "0009")
    with psycopg.connect(scratch) as database:
        ((held, listeners),) = database.execute(
            "SELECT sketch, listeners FROM downloads_monthlisteners"
        ).fetchall()
        assert bytes(held) == sketch.add(sketch.empty(), marks)
        assert listeners == 19
    migrate(scratch)

"""The API's charts: the same numbers as the page's, described, stated with their zone."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

from api.statistics.urls import OF_EPISODES, OF_ORGANIZATIONS, OF_SHOWS
from frontend.statistics import exports
from tests.api.statistics.conftest import NOON, World
from tests.downloads.storing import store_download
from tests.factories import EpisodeFactory

ADDRESSES = [
    *(("show", chart) for chart in OF_SHOWS),
    *(("episode", chart) for chart in OF_EPISODES),
    *(("organization", chart) for chart in OF_ORGANIZATIONS),
]
of_every_chart = pytest.mark.parametrize(("whose", "chart"), ADDRESSES)


def needed(world: World, whose: str, chart: str) -> str:
    """The parameters without which this chart has nothing to show."""
    return f"?episode={world.episodes[1].pk}" if (whose, chart) == ("show", "compare") else ""


def read(world: World, whose: str, chart: str, query: str | None = None) -> Any:
    query = needed(world, whose, chart) if query is None else query
    answer = world.people.client("analyst").get(world.address(whose, chart) + query)
    assert answer.status_code == 200, answer.content
    return answer.json()


# --- Parity with the pages ----------------------------------------------------------------------


def test_every_chart_of_the_pages_has_a_counterpart() -> None:
    assert set(exports.OF_SHOWS) <= set(OF_SHOWS)
    assert set(exports.OF_EPISODES) <= set(OF_EPISODES)


def exported(world: World, whose: str, chart: str, query: str) -> list[dict[str, Any]]:
    address = world.address(whose, chart).replace("/api/v1/", "/studio/").rstrip("/")
    answer = world.people.client("analyst").get(f"{address}.json{query}")
    assert answer.status_code == 200
    rows: list[dict[str, Any]] = json.loads(answer.content)["rows"]
    return rows


def comparable(cell: Any) -> Any:
    """A moment as such, whatever it is written like."""
    try:
        return datetime.fromisoformat(cell) if isinstance(cell, str) and "T" in cell else cell
    except ValueError:
        return cell


def pivoted(rows: list[dict[str, Any]], *, by: str, name: str, value: str) -> list[dict[str, Any]]:
    """Rows in the long form as a table with a column for each name."""
    table: dict[Any, dict[str, Any]] = {}
    for row in rows:
        table.setdefault(row[by], {by: row[by]})[row[name]] = row[value]
    return list(table.values())


def not_counted_table(body: dict[str, Any]) -> list[dict[str, Any]]:
    dropped = pivoted(body["rows"], by="day_utc", name="reason", value="count")
    by_day = {row["day_utc"]: row for row in dropped}
    none = {reason["reason"]: 0 for reason in body["reasons"]}
    return [none | day | by_day.get(day["day_utc"], {}) for day in body["days"]]


TABLES: dict[str, Callable[[dict[str, Any]], list[dict[str, Any]]]] = {
    "not-counted": not_counted_table,
    "compare": lambda body: pivoted(
        body["rows"], by="hours_after_publication", name="episode", value="downloads"
    ),
    "episodes": lambda body: body["results"],
}


def same_questions() -> Iterator[Any]:
    """A chart, what the page is asked, and what the API is asked for the same."""
    periods = [
        ("?period=7", "?days=7"),
        ("?period=90", "?days=90"),
        ("?from=2026-09-01&to=2026-10-13", "?from=2026-09-01&to=2026-10-13"),
    ]
    for chart in ("week", "apps", "devices", "countries", "websites"):
        for whose in ("show", "episode"):
            yield from ((whose, chart, *asked) for asked in periods)
    for whose in ("show", "episode"):
        for page, program in periods:
            yield whose, "downloads", f"{page}&by=day", f"{program}&grain=day"
        yield whose, "downloads", "?period=90&by=week", "?days=90&grain=week"
        yield whose, "downloads", "?period=90&by=month", "?days=90&grain=month"
        yield whose, "hours", "", ""
        yield whose, "headline", "", ""
        yield whose, "hours", "?hours=168", "?hours=168"
    yield from (("show", "not-counted", *asked) for asked in periods)
    yield "show", "episodes", "", ""
    # The page always shows a year of months.
    year = "?from=2025-10-14&to=2026-10-14"
    yield "show", "listeners", year, year


@pytest.mark.parametrize(("whose", "chart", "page", "program"), list(same_questions()))
def test_a_chart_says_what_the_pages_export_says(
    world: World, whose: str, chart: str, page: str, program: str
) -> None:
    body = read(world, whose, chart, program)
    ours = TABLES.get(chart, lambda body: body["rows"])(body)
    theirs = exported(world, whose, chart, page)
    assert theirs
    names = list(theirs[0])
    assert [{name: comparable(row[name]) for name in names} for row in ours] == [
        {name: comparable(cell) for name, cell in row.items()} for row in theirs
    ]


@pytest.mark.parametrize("days", [2, 7, 30, 90])
def test_curves_are_those_of_the_page(world: World, days: int) -> None:
    ids = [str(episode.pk) for episode in world.episodes]
    page = "&".join(f"compare={number}" for number in ids)
    program = "&".join(f"episode={number}" for number in ids)
    body = read(world, "show", "compare", f"?days={days}&{program}")
    assert TABLES["compare"](body) == exported(world, "show", "compare", f"?days={days}&{page}")
    assert any(row["downloads"] for row in body["rows"])
    assert [episode["episode"] for episode in body["episodes"]] == ids


def test_the_headline_says_what_the_page_says(world: World) -> None:
    for whose in ("show", "episode"):
        page = world.address(whose, "").replace("/api/v1/", "/studio/").rstrip("/") + "/"
        text = world.people.client("analyst").get(page).content.decode()
        body = read(world, whose, "headline")
        assert [row["days"] for row in body["rows"]] == [7, 30, 90]
        for row in body["rows"]:
            assert sum(row["daily"]) == row["downloads"]
            assert f"Last {row['days']} days" in text
        assert f"{body['all_time']}" in text
    body = read(world, "show", "headline")
    counts = {row["days"]: (row["downloads"], row["before"]) for row in body["rows"]}
    assert counts == {7: (7, 1), 30: (9, 2), 90: (11, 0)}
    assert [row["change_percent"] for row in body["rows"]] == [600, 350, None]
    assert (body["all_time"], body["first_month"]) == (12, "2026-03-01")
    assert body["provisional_from"] == "2026-10-11"


# --- What answers say ---------------------------------------------------------------------------


def closed(schema: Any) -> Any:
    """The same schema, in which an object has the fields that are described and no others."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(one) for name, one in schema.items()}
    if found.get("type") == "object" and isinstance(found.get("properties"), dict):
        found |= {"additionalProperties": False, "required": list(found["properties"])}
    return found


@pytest.fixture
def document(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.people.client("analyst").get("/api/v1/schema/").json()
    return found


def test_every_answer_is_as_the_document_describes_it(
    world: World, document: dict[str, Any]
) -> None:
    components = closed(document["components"])
    for whose, chart in ADDRESSES:
        path = f"/api/v1/{whose}s/{{{whose}_id}}/statistics/{chart}/"
        operation = document["paths"][path]["get"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        body = read(world, whose, chart)
        assert body.get("rows", body.get("results")), (whose, chart)
        Draft202012Validator(schema | {"components": components}).validate(body)


@of_every_chart
def test_a_chart_says_whose_it_is_and_in_which_time_zone(
    world: World, whose: str, chart: str
) -> None:
    body = read(world, whose, chart)
    if chart == "episodes":  # a list, of which nothing depends on days
        return
    if whose == "organization":
        assert body["organization"] == str(world.people.organization.pk)
        assert body["time_zone"] is None  # each show has its own
        return
    assert body["time_zone"] == "Europe/Berlin"
    assert body["show"] == str(world.show.pk)
    assert body["episode"] == (str(world.episodes[0].pk) if whose == "episode" else None)


def test_days_end_in_the_shows_zone_and_are_provisional_until_they_are_closed(
    world: World,
) -> None:
    rows = {row["from"]: row for row in read(world, "show", "downloads", "?days=7")["rows"]}
    # 11 October, 22:30 in UTC.
    assert rows["2026-10-11"]["downloads"] == 0
    assert rows["2026-10-12"]["downloads"] == 1
    assert rows["2026-10-10"]["status"] == "final"
    assert rows["2026-10-11"]["status"] == "provisional"
    assert rows["2026-10-14"]["from_requests_only"] == 1
    assert rows["2026-10-14"]["listeners_on_utc_day"] == 2


def test_listeners_are_a_shows_and_of_days(world: World) -> None:
    for whose, query in (("episode", ""), ("organization", ""), ("show", "?grain=week")):
        rows = read(world, whose, "downloads", query)["rows"]
        assert {row["listeners_on_utc_day"] for row in rows} == {None}


def test_what_waits_for_review_is_not_counted_and_told_so(world: World) -> None:
    body = read(world, "show", "not-counted")
    counts = {reason["reason"]: reason["count"] for reason in body["reasons"]}
    assert counts == {"below_threshold": 30, "bot": 12, "quarantined": 1}
    assert all(reason["what"] and reason["rule"] for reason in body["reasons"])
    assert sum(day["downloads"] for day in body["days"]) == 9


def test_an_organisation_is_the_sum_of_its_shows(world: World) -> None:
    other = EpisodeFactory(show__organization=world.people.organization)
    store_download(other, at=NOON)
    body = read(world, "organization", "shows", "?days=7")
    assert [(row["show"], row["downloads"]) for row in body["rows"]] == [
        (str(world.show.pk), 7),
        (str(other.show_id), 1),
    ]
    headline = read(world, "organization", "headline")
    board = world.people.client("analyst").get(
        f"/api/v1/organizations/{world.people.organization.pk}/live/state/"
    )
    told = board.json()
    assert [row["downloads"] for row in headline["rows"]] == [
        told["today"],
        told["week"],
        told["month"],
    ]
    assert headline["all_time"] == told["total"] == 13
    assert sum(row["downloads"] for row in read(world, "organization", "downloads")["rows"]) == 10


# --- Parameters ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("", "2026-09-15", "2026-10-14"),
        ("?days=1", "2026-10-14", "2026-10-14"),
        ("?from=2026-10-01", "2026-10-01", "2026-10-14"),
        ("?from=2026-02-27&to=2026-03-02", "2026-02-27", "2026-03-02"),
        ("?from=2026-10-01&to=2027-10-01", "2026-10-01", "2026-10-14"),
        ("?from=2016-10-07", "2016-10-07", "2026-10-14"),
    ],
)
def test_a_period_is_chosen(world: World, query: str, first: str, last: str) -> None:
    for whose in ("show", "organization"):
        body = read(world, whose, "downloads", query)
        assert body["period"] == {"from": first, "to": last}
        assert (body["rows"][0]["from"], body["rows"][-1]["to"]) == (first, last)


@pytest.mark.parametrize(
    ("chart", "query", "parameter", "code"),
    [
        ("downloads", "days=0", "days", "min_value"),
        ("downloads", "days=3661", "days", "max_value"),
        ("downloads", "days=x", "days", "invalid"),
        ("downloads", "from=yesterday", "from", "invalid"),
        ("downloads", "to=2026-10-01", "from", "required"),
        ("downloads", "from=2026-10-02&to=2026-10-01", "from", "after_the_last"),
        ("downloads", "from=2026-10-15", "from", "in_the_future"),
        ("downloads", "from=2016-10-06", "from", "too_long"),
        ("downloads", "from=0001-01-01&to=9999-12-31", "from", "too_early"),
        ("week", "from=0001-01-01&to=0001-01-02", "from", "too_early"),
        ("downloads", "from=2026-10-01&days=3", "days", "contradictory"),
        ("downloads", "grain=hour", "grain", "invalid_choice"),
        ("downloads", "period=7", "period", "unknown_parameter"),
        ("apps", "grain=day", "grain", "unknown_parameter"),
        ("hours", "hours=745", "hours", "max_value"),
        ("hours", "days=7", "days", "unknown_parameter"),
        ("compare", "days=7", "episode", "required"),
        ("compare", "days=8", "days", "invalid_choice"),
        ("compare", "episode=x", "episode", "invalid"),
        ("compare", "episode=00000000-0000-0000-0000-000000000007", "episode", "unknown_episode"),
        ("episodes", "ordering=downloads", "ordering", "invalid_choice"),
        ("episodes", "page_size=0", "page_size", "invalid"),
        ("episodes", "cursor=x", "cursor", "invalid_cursor"),
        ("headline", "days=7", "days", "unknown_parameter"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(
    world: World, chart: str, query: str, parameter: str, code: str
) -> None:
    client = world.people.client("analyst")
    answer = client.get(f"{world.address('show', chart)}?{query}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    problem = answer.json()
    assert problem["code"] == "invalid"
    assert [(error["parameter"], error["code"]) for error in problem["errors"]] == [
        (parameter, code)
    ]


def test_at_most_eight_published_episodes_of_the_show_are_compared(world: World) -> None:
    client, address = world.people.client("analyst"), world.address("show", "compare")
    nine = "&".join(f"episode=00000000-0000-0000-0000-00000000000{n}" for n in range(9))
    assert client.get(f"{address}?{nine}").json()["errors"][0]["code"] == "max_length"
    foreign = client.get(f"{address}?episode={world.elsewhere.pk}").json()
    assert foreign["errors"][0]["code"] == "unknown_episode"
    own = world.address("episode", "compare")
    body = client.get(f"{own}?days=2&episode={world.episodes[1].pk}").json()
    assert [episode["title"] for episode in body["episodes"]] == ["=The newest", "Before"]
    assert len(body["rows"]) == 2 * 48


def test_what_is_not_published_has_no_curve(world: World) -> None:
    draft = EpisodeFactory(show=world.show, status="draft", published_at=None)
    client = world.people.client("analyst")
    address = f"/api/v1/episodes/{draft.pk}/statistics/compare/"
    assert client.get(address).json()["rows"] == []
    body = client.get(f"{address}?episode={world.episodes[1].pk}").json()
    assert [episode["title"] for episode in body["episodes"]] == ["Before"]
    answer = client.get(f"{address}?episode={draft.pk}")
    assert answer.json()["errors"][0]["code"] == "unknown_episode"


OF_BOTH = ("headline", "downloads", "hours", "week", "apps", "websites")


@pytest.mark.parametrize(
    ("whose", "chart"),
    [
        *(("show", chart) for chart in (*OF_BOTH, "listeners", "not-counted")),
        *(("episode", chart) for chart in OF_BOTH),
    ],
)
def test_every_chart_says_from_which_day_on_it_may_still_change(
    world: World, whose: str, chart: str
) -> None:
    body = world.people.client("analyst").get(world.address(whose, chart)).json()
    assert body["provisional_from"] == "2026-10-11"


def test_each_hour_says_whether_it_is_final(world: World) -> None:
    client = world.people.client("analyst")
    rows = client.get(f"{world.address('show', 'hours')}?hours=168").json()["rows"]
    assert {row["status"] for row in rows} == {"final", "provisional"}
    assert all(
        (row["status"] == "provisional") == (row["hour_utc"] >= "2026-10-11T00:00:00")
        for row in rows
    )


# --- The list of episodes -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ordering", "titles"),
    [
        ("-published_at", ["=The newest", "Before", "Oldest"]),
        ("published_at", ["Oldest", "Before", "=The newest"]),
        ("title", ["=The newest", "Before", "Oldest"]),
        ("-all_time", ["=The newest", "Before", "Oldest"]),
        ("all_time", ["Oldest", "Before", "=The newest"]),
        ("-first_30_days", ["Before", "Oldest", "=The newest"]),
        ("first_30_days", ["Oldest", "Before", "=The newest"]),
        ("-first_7_days", ["=The newest", "Before", "Oldest"]),
        ("-first_3_days", ["Before", "=The newest", "Oldest"]),
        ("first_1_days", ["Before", "Oldest", "=The newest"]),
    ],
)
def test_episodes_are_sorted_and_each_is_on_exactly_one_page(
    world: World, ordering: str, titles: list[str]
) -> None:
    client = world.people.client("analyst")
    address = f"{world.address('show', 'episodes')}?page_size=1&ordering={ordering}"
    seen, back = [], ""
    while address:
        body = client.get(address).json()
        seen += [row["title"] for row in body["results"]]
        back, address = body["previous"], body["next"]
    assert seen == titles
    while back:
        body = client.get(back).json()
        assert [row["title"] for row in body["results"]] == [titles[len(seen) - 2]]
        seen, back = seen[:-1], body["previous"]
    assert len(seen) == 1


def test_a_page_after_an_episode_that_is_gone_is_refused(world: World) -> None:
    client = world.people.client("analyst")
    body = client.get(f"{world.address('show', 'episodes')}?page_size=1").json()
    world.episodes[0].deleted_at = NOON
    world.episodes[0].save()
    answer = client.get(body["next"])
    assert answer.json()["errors"][0]["code"] == "invalid_cursor"


# --- Kinds of answers ---------------------------------------------------------------------------


def as_csv(client: Client, address: str) -> list[list[str]]:
    answer = client.get(address, headers={"Accept": "text/csv"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "Accept" in answer.headers["Vary"]
    return list(csv.reader(io.StringIO(answer.content.decode())))


@of_every_chart
def test_rows_are_given_as_csv_to_whoever_accepts_that(
    world: World, whose: str, chart: str
) -> None:
    client = world.people.client("analyst")
    address = world.address(whose, chart) + needed(world, whose, chart)
    if chart == "episodes":
        assert client.get(address, headers={"Accept": "text/csv"}).status_code == 406
        return
    head, *lines = as_csv(client, address)
    rows = read(world, whose, chart)["rows"]
    assert sorted(head) == sorted(rows[0])
    assert len(lines) == len(rows)


def test_csv_holds_no_formulas_and_names_columns_of_no_rows(world: World) -> None:
    client = world.people.client("analyst")
    head, *lines = as_csv(client, world.address("show", "apps"))
    assert {line[head.index("app")] for line in lines} == {"", "Castro", "Overcast", "'+1"}
    address = world.address("show", "websites") + "?from=2026-01-01&to=2026-01-02"
    assert as_csv(client, address) == [
        ["name", "downloads", "from_requests_only", "percent", "referrer"]
    ]


def test_a_refusal_is_a_problem_whatever_is_accepted(world: World) -> None:
    client, address = world.people.client("analyst"), world.address("show", "apps")
    answer = client.get(f"{address}?days=x", headers={"Accept": "text/csv"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["errors"][0]["parameter"] == "days"
    assert client.get(address, headers={"Accept": "text/html"}).json()["status"] == 406


def test_what_has_not_changed_is_not_sent_again(world: World) -> None:
    client, address = world.people.client("analyst"), world.address("show", "headline")
    tag = client.get(address).headers["ETag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
    store_download(world.episodes[1], at=NOON)
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 200

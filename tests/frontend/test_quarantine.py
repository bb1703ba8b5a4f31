"""The staff's review of what one address downloaded beyond its ceiling."""

from typing import Any

import pytest
from lxml import html

from apps.core.clock import now
from apps.downloads.models import Download
from podcasts.models import Episode
from tests.conftest import People
from tests.factories import EpisodeFactory
from tests.live.making import download

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey")]

ADDRESS, ANOTHER = b"a" * 16, b"b" * 16


@pytest.fixture
def episode(people: People) -> Episode:
    return EpisodeFactory(
        show__organization=people.organization, show__title="Night <b>Signals</b>"
    )


def hold(episode: Episode, address_key: bytes = ADDRESS, **fields: Any) -> Download:
    """A download that waits for review."""
    return download(episode, held_address=address_key, **fields)


def waiting(people: People) -> Any:
    page: Any = html.fromstring(people.client("staff").get("/platform/").content.decode())
    (section,) = page.xpath('//section[@id="waiting"]')
    return section


def fields(form: Any) -> dict[str, str]:
    """What the browser would send."""
    return {name: form.fields[name] for name in ("organization", "day", "address_key")}


def counted() -> int:
    return Download.objects.filter(held_address=None).count()


def test_nothing_waiting_is_said(people: People) -> None:
    assert "Nothing waits for review." in waiting(people).text_content()


def test_what_waits_is_listed_by_organisation_show_day_and_count(
    people: People, episode: Episode
) -> None:
    for app in ("Overcast", "Castro", "AntennaPod"):
        hold(episode, app=app)
    (row,) = waiting(people).xpath(".//tbody/tr")
    cells = [" ".join(cell.text_content().split()) for cell in row.xpath("./td")]
    day = f"{now().day} {now():%b %Y}"
    assert cells[:5] == ["Radio Ours", "Night <b>Signals</b>", day, "3", "3"]
    (form,) = row.xpath(".//form")
    assert form.get("data-confirm") == "Count 3 downloads?"


def test_a_release_counts_that_address_alone(people: People, episode: Episode) -> None:
    hold(episode)
    hold(episode)
    hold(episode, ANOTHER)
    client = people.client("staff")
    form = next(
        f for f in waiting(people).xpath(".//form") if f.fields["address_key"] == ADDRESS.hex()
    )
    answer = client.post("/platform/release/", fields(form), follow=True)
    assert "2 downloads count from now on." in answer.content.decode()
    assert counted() == 2
    again = client.post("/platform/release/", fields(form), follow=True)
    assert "Nothing was waiting there any more." in again.content.decode()
    assert counted() == 2


@pytest.mark.parametrize("persona", ["owner", "stranger", "anonymous"])
def test_only_staff_releases(people: People, episode: Episode, persona: str) -> None:
    hold(episode)
    (form,) = waiting(people).xpath(".//form")
    answer = people.client(persona).post("/platform/release/", fields(form))
    assert answer.status_code == (302 if persona == "anonymous" else 404)
    assert counted() == 0


@pytest.mark.parametrize(
    "spoiled",
    [{"address_key": "zz"}, {"address_key": "ab"}, {"day": "soon"}, {"organization": "1 OR 1"}, {}],
)
def test_nonsense_releases_nothing(
    people: People, episode: Episode, spoiled: dict[str, str]
) -> None:
    hold(episode)
    (form,) = waiting(people).xpath(".//form")
    data = fields(form) | spoiled if spoiled else {}
    assert people.client("staff").post("/platform/release/", data).status_code == 400
    assert counted() == 0


def test_more_rows_cost_no_more_queries(
    people: People, episode: Episode, django_assert_num_queries: Any
) -> None:
    from frontend.quarantine import waiting_rows

    for number in range(20):
        hold(EpisodeFactory(), bytes([number]) * 32)
    with django_assert_num_queries(3):
        assert len(waiting_rows()) == 20

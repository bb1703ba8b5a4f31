"""How a show's audio is delivered, chosen in the studio and told by the API."""

from typing import Any

import pytest
from django.conf import LazySettings

from podcasts.models import Show
from tests.conftest import People
from tests.factories import ShowFactory
from tests.frontend.test_studio_shows import settings_form

pytestmark = pytest.mark.usefixtures("clean_valkey")


@pytest.fixture
def show(people: People) -> Show:
    return ShowFactory(organization=people.organization, handle="ours", title="Ours")


@pytest.fixture
def with_bucket(settings: LazySettings) -> None:
    """An installation that could redirect, but does not unless a show asks for it."""
    settings.S3_BUCKET = "media"


def path(show: Show) -> str:
    return f"/studio/shows/{show.pk}/settings/"


def page(people: People, show: Show) -> str:
    return people.client("admin").get(path(show)).content.decode()


def save(people: People, show: Show, **changes: Any) -> Any:
    # What a browser sends of a form that stands there: the choice as well.
    form = settings_form(show, delivery=show.delivery) | changes
    return people.client("admin").post(path(show), form)


def test_where_there_is_no_choice_there_is_no_question(people: People, show: Show) -> None:
    assert "Delivery" not in page(people, show)


@pytest.mark.usefixtures("with_bucket")
def test_possible_modes_are_offered_and_explained(people: People, show: Show) -> None:
    found = page(people, show)
    assert "As usual here: from this server" in found
    assert "Apps are led to the storage bucket" in found
    assert "CloudFront" not in found


@pytest.mark.usefixtures("with_bucket")
@pytest.mark.parametrize("choice", ["redirect", "direct", ""])
def test_a_mode_is_chosen(choice: str, people: People, show: Show) -> None:
    assert save(people, show, delivery=choice).status_code == 302
    show.refresh_from_db()
    assert show.delivery == choice


@pytest.mark.usefixtures("with_bucket")
@pytest.mark.parametrize("choice", ["cdn", "pigeon"])
def test_what_is_not_possible_is_refused(choice: str, people: People, show: Show) -> None:
    assert save(people, show, delivery=choice).status_code == 422
    show.refresh_from_db()
    assert show.delivery == ""


def test_a_mode_that_was_lost_is_shown_and_survives_saving(people: People, show: Show) -> None:
    Show.objects.update(delivery="cdn")
    show.refresh_from_db()
    found = page(people, show)
    assert "Through CloudFront is not possible at present." in found
    assert "Through CloudFront: not possible here" in found
    assert save(people, show, title="Renamed").status_code == 302
    show.refresh_from_db()
    assert (show.title, show.delivery) == ("Renamed", "cdn")
    assert save(people, show, delivery="").status_code == 302
    assert "not possible" not in page(people, show)


@pytest.mark.usefixtures("with_bucket")
def test_no_answer_is_no_choice(people: People, show: Show) -> None:
    Show.objects.update(delivery="redirect")
    form = settings_form(show)
    assert people.client("admin").post(path(show), form).status_code == 422
    show.refresh_from_db()
    assert show.delivery == "redirect"


def test_saving_without_a_question_leaves_the_choice_alone(people: People, show: Show) -> None:
    form = settings_form(show)
    assert people.client("admin").post(path(show), form | {"delivery": "cdn"}).status_code == 302
    show.refresh_from_db()
    assert show.delivery == ""


@pytest.mark.usefixtures("with_bucket")
@pytest.mark.parametrize(
    ("installation", "choice", "mode"),
    [
        ("direct", "", "direct"),
        ("redirect", "", "redirect"),
        ("redirect", "direct", "direct"),
        ("direct", "redirect", "redirect"),
        ("direct", "cdn", "direct"),  # not possible here
    ],
)
def test_the_api_tells_the_choice_and_what_it_comes_to(
    installation: str, choice: str, mode: str, people: People, show: Show, settings: LazySettings
) -> None:
    settings.DELIVERY = installation
    Show.objects.update(delivery=choice)
    body = people.client("analyst").get(f"/api/v1/shows/{show.id}/").json()
    assert (body["delivery"], body["delivery_mode"]) == (choice, mode)

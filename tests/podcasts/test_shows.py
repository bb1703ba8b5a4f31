"""What can be done with shows, their handles and their covers."""

import threading
import uuid
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from PIL import Image as Pictures
from pytest_django import DjangoCaptureOnCommitCallbacks

from apps.accounts.models import Organization
from apps.downloads import totals
from apps.downloads.totals import Period, Scope
from podcasts.models import FeedDocument, Handle, Show
from podcasts.services.handles import propose_handle
from podcasts.services.shows import create_show, podcast_guid, update_show
from tests.downloads.storing import store_download
from tests.factories import EpisodeFactory, OrganizationFactory, ShowFactory

DETAILS: dict[str, Any] = {
    "title": "Night Signals",
    "handle": "night-signals",
    "description": "Stories from the night shift.",
    "language": "en",
    "category": "Society & Culture/Documentary",
    "author": "Night Radio",
}


def picture(side: int = 1400, colour: str = "tomato") -> bytes:
    buffer = BytesIO()
    Pictures.new("RGB", (side, side), colour).save(buffer, "PNG")
    return buffer.getvalue()


def made(organization: Organization | None = None, **changes: Any) -> Show:
    return create_show(organization=organization or OrganizationFactory(), **DETAILS | changes)


def codes(error: ValidationError) -> dict[str, str | None]:
    return {field: errors[0].code for field, errors in error.error_dict.items()}


@pytest.mark.django_db
def test_a_new_show_has_a_drawn_cover_until_somebody_uploads_one() -> None:
    show = made()
    assert show.is_artwork_generated
    first = show.artwork
    renamed = update_show(show=show, title="Day Signals")
    assert renamed.is_artwork_generated
    assert renamed.artwork != first
    own = update_show(show=show, artwork=picture())
    assert not own.is_artwork_generated
    assert update_show(show=show, title="Night Signals").artwork == own.artwork


@pytest.mark.django_db
def test_the_podcast_guid_follows_the_first_feed_address_and_stays() -> None:
    show = made()
    # The rule of Podcasting 2.0, written out: no scheme, no slash at the end.
    namespace = uuid.UUID("ead4c236-bf58-58c6-a2c6-a6b28d128cb6")
    assert show.guid == uuid.uuid5(namespace, "localhost:8000/feeds/night-signals.xml")
    moved = update_show(show=show, handle="day-signals")
    assert moved.guid == show.guid


def test_the_guid_of_a_known_feed_is_the_published_example(settings: Any) -> None:
    """podcastindex.org/namespace/1.0, podcast:guid, gives this value for this address."""
    settings.BASE_URL = "https://mp3s.nashownotes.com"
    namespace = uuid.UUID("ead4c236-bf58-58c6-a2c6-a6b28d128cb6")
    example = uuid.uuid5(namespace, "mp3s.nashownotes.com/pc20rss.xml")
    assert str(example) == "917393e3-1b1e-5cef-ace4-edaa54e1f810"
    assert podcast_guid("a") == uuid.uuid5(namespace, "mp3s.nashownotes.com/feeds/a.xml")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"handle": "studio"}, {"handle": "handle_reserved"}),
        ({"handle": "Night"}, {"handle": "invalid"}),
        ({"handle": ""}, {"handle": "blank"}),
        ({"category": ""}, {"category": "blank"}),
        ({"handle": "-night"}, {"handle": "invalid"}),
        ({"handle": "taken"}, {"handle": "handle_taken"}),
        ({"handle": "formerly-theirs"}, {"handle": "handle_taken"}),
        ({"category": "Podcasting"}, {"category": "category_unknown"}),
        ({"category": "Arts/Chemistry"}, {"category": "category_unknown"}),
        ({"language": "English!"}, {"language": "language_unknown"}),
        ({"title": ""}, {"title": "blank"}),
        ({"description": "x" * 4001}, {"description": "max_length"}),
        ({"owner_email": "nobody"}, {"owner_email": "invalid"}),
        (
            {"title": "", "handle": "admin", "category": "None"},
            {"title": "blank", "handle": "handle_reserved", "category": "category_unknown"},
        ),
    ],
)
def test_a_show_is_refused_field_by_field(
    changes: dict[str, Any], expected: dict[str, str]
) -> None:
    theirs = ShowFactory(handle="taken")
    Handle.objects.create(handle="formerly-theirs", show=theirs)
    with pytest.raises(ValidationError) as caught:
        made(**changes)
    assert codes(caught.value) == expected
    assert Show.objects.count() == 1


@pytest.mark.django_db
def test_a_picture_that_is_no_cover_is_refused_at_its_field() -> None:
    with pytest.raises(ValidationError) as caught:
        made(artwork=picture(600))
    assert list(caught.value.error_dict) == ["artwork"]
    assert not Handle.objects.exists()


@pytest.mark.django_db
def test_an_old_handle_stays_with_its_show_which_may_take_it_back() -> None:
    show = made()
    moved = update_show(show=show, handle="day-signals")
    assert set(Handle.objects.filter(show=show).values_list("handle", flat=True)) == {
        "night-signals",
        "day-signals",
    }
    with pytest.raises(ValidationError) as caught:
        made(title="Thief", handle="night-signals")
    assert codes(caught.value) == {"handle": "handle_taken"}
    assert update_show(show=moved, handle="night-signals").handle == "night-signals"


@pytest.mark.django_db
def test_the_feed_follows_a_change_and_the_old_address_redirects(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, clean_valkey: None
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        show = made()
    with django_capture_on_commit_callbacks(execute=True):
        update_show(show=show, title="Dawn", handle="dawn")
    xml = bytes(FeedDocument.objects.get(show=show).xml).decode()
    assert "<title>Dawn</title>" in xml
    assert "/feeds/dawn.xml" in xml


@pytest.mark.django_db(transaction=True)
def test_of_two_shows_that_want_a_handle_at_once_one_gets_it(clean_valkey: None) -> None:
    organization = OrganizationFactory()
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def create() -> None:
        try:
            start.wait(timeout=10)
            made(organization)
            outcomes.append("made")
        except ValidationError as error:
            outcomes.append(str(codes(error)["handle"]))
        finally:
            connection.close()

    threads = [threading.Thread(target=create) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["handle_taken", "made"]


@pytest.mark.django_db
def test_a_show_becomes_serial_only_when_its_public_episodes_have_numbers() -> None:
    show = ShowFactory()
    episode = EpisodeFactory(show=show)
    EpisodeFactory(show=show, type="trailer")
    EpisodeFactory(show=show, status="draft")
    with pytest.raises(ValidationError) as caught:
        update_show(show=show, type="serial")
    assert codes(caught.value) == {"type": "episodes_unnumbered"}
    episode.episode_number = 1
    episode.save()
    assert update_show(show=show, type="serial").type == "serial"


@pytest.mark.parametrize(
    ("title", "handle"),
    [
        ("Night Signals", "night-signals"),
        ("  Café & Späti!  ", "cafe-spati"),
        ("a_b -- c", "a-b-c"),
        ("深夜电台", ""),
        ("x" * 100, "x" * 64),
        ("a" * 63 + " b", "a" * 63),
    ],
)
def test_a_handle_is_proposed_from_a_title(title: str, handle: str) -> None:
    assert propose_handle(title) == handle


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ["", "Berlin", "Etc/GMT+1", "../etc/passwd"])
def test_a_time_zone_must_be_a_place_of_the_database(zone: str) -> None:
    with pytest.raises(ValidationError) as refused:
        made(time_zone=zone)
    assert codes(refused.value) == {"time_zone": "time_zone_unknown" if zone else "blank"}


@pytest.mark.django_db
def test_what_is_counted_keeps_its_day_when_the_time_zone_changes() -> None:
    show = made()
    evening = datetime(2026, 10, 13, 22, 30, tzinfo=UTC)
    episode = EpisodeFactory(show=show)
    store_download(episode, at=evening)
    episode.show = update_show(show=show, time_zone="Europe/Berlin")
    store_download(episode, at=evening)
    days = totals.daily(Scope(show=show.pk), Period(date(2026, 10, 13), date(2026, 10, 14)))
    assert [day.downloads for day in days] == [1, 1]

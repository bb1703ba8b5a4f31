"""Every list and every nested read: the same queries at one, twenty and two hundred rows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count as numbers
from typing import Any

import pytest

from api.base.pagination import CursorPagination
from api.base.views import ListView
from api.statistics.organization_views import MOST_SHOWS
from api.urls import urlpatterns
from apps.accounts.models import ApiToken, Invitation, Membership
from apps.core.clock import now
from apps.media.models import Asset
from apps.media.storage import storage
from apps.media.uploads import in_store, open_upload
from apps.webhooks.models import WebhookAttempt
from hosting.data_plane import DataPlane
from podcasts.models import Episode, Handle, Show
from tests.api.constancy import SIZES, assert_constant_queries, rows_of_page
from tests.api.test_quarantine import hold
from tests.api.test_upload_lists import upload
from tests.asgi import call
from tests.conftest import People
from tests.downloads.storing import store_download
from tests.factories import (
    AssetFactory,
    EpisodeFactory,
    ImageFactory,
    MembershipFactory,
    RenditionFactory,
    ShowFactory,
    WebhookDeliveryFactory,
    WebhookEndpointFactory,
    WebhookEventFactory,
)
from tests.media.test_storage_disk import CHECKSUM, DATA, HEADERS
from tests.programs import token_of_organization, token_of_person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey")]


@dataclass(frozen=True, slots=True)
class Case:
    """One address, what makes it longer by so many rows, and at most how many queries it costs."""

    address: str
    grow: Callable[[int], object]
    at_most: int
    count: Callable[[Any], int] = rows_of_page
    there: int = 0  # rows that it has to begin with
    sizes: Sequence[int] = SIZES


CASES: dict[str, Callable[[People], Case]] = {}
type Making = Callable[[People], Case]


def case(route: str) -> Callable[[Making], Making]:
    """The case of a route's name."""

    def note(make: Making) -> Making:
        CASES[route] = make
        return make

    return note


def each(make: Callable[[], object]) -> Callable[[int], object]:
    """Rows that are made one by one."""
    return lambda count: [make() for _ in range(count)]


def nested(name: str) -> Callable[[Any], int]:
    """How many there are under this name."""
    return lambda body: len(body[name])


def of(people: People, rest: str) -> str:
    return f"organizations/{people.organization.pk}/{rest}"


def episode_of(people: People, **fields: Any) -> Episode:
    made: Episode = EpisodeFactory(show__organization=people.organization, **fields)
    return made


def revoke(made: tuple[ApiToken, str]) -> None:
    """Listed still, and not one of the hundred that may be in use."""
    ApiToken.objects.filter(pk=made[0].pk).update(revoked_at=now())


def full_episode(show: Show) -> None:
    """With everything that an episode can have."""
    episode = EpisodeFactory(show=show, artwork=ImageFactory(), season_number=1)
    RenditionFactory(asset=episode.audio)


@case("organizations")
def organizations(people: People) -> Case:
    grow = each(lambda: MembershipFactory(user=people.owner))
    return Case("organizations/", grow, at_most=3, there=1)


@case("me")
def me(people: People) -> Case:
    grow = each(lambda: MembershipFactory(user=people.owner))
    return Case("me/", grow, at_most=3, count=nested("organizations"), there=1)


@case("members")
def members(people: People) -> Case:
    Membership.objects.filter(organization=people.organization).exclude(user=people.owner).delete()
    grow = each(lambda: MembershipFactory(organization=people.organization))
    return Case(of(people, "members/"), grow, at_most=4, there=1)


@case("invitations")
def invitations(people: People) -> Case:
    number = numbers()

    def invite() -> None:
        place = next(number)
        Invitation.objects.create(
            organization=people.organization,
            email=f"{place}@example.com",
            role="editor",
            token_sha256=f"{place:064}",
            invited_by=people.owner,
            expires_at=now() + timedelta(days=1),
        )

    return Case(of(people, "invitations/"), each(invite), at_most=4)


@case("tokens")
def tokens(people: People) -> Case:
    return Case("tokens/", each(lambda: revoke(token_of_person(people.owner))), at_most=3)


@case("organization-tokens")
def organization_tokens(people: People) -> Case:
    show = ShowFactory(organization=people.organization)
    grow = each(lambda: revoke(token_of_organization(people.organization, show_id=show.pk)))
    return Case(of(people, "tokens/"), grow, at_most=4)


@case("shows")
def shows(people: People) -> Case:
    """Each of another organisation."""

    def begin() -> None:
        ShowFactory(organization=MembershipFactory(user=people.owner).organization)

    return Case("shows/", each(begin), at_most=3)


@case("organization-shows")
def organization_shows(people: People) -> Case:
    grow = each(lambda: ShowFactory(organization=people.organization))
    return Case(of(people, "shows/"), grow, at_most=4)


@case("handles")
def handles(people: People) -> Case:
    show, number = ShowFactory(organization=people.organization), numbers()
    grow = each(lambda: Handle.objects.create(handle=f"former-{next(number)}", show=show))
    return Case(f"shows/{show.pk}/handles/", grow, at_most=5, there=1)


@case("trash")
def trash(people: People) -> Case:
    """Shows and episodes by turns."""
    living, number = ShowFactory(organization=people.organization), numbers()

    def throw_away() -> None:
        if next(number) % 2:
            full_episode(living)
            Episode.objects.filter(show=living, deleted_at=None).update(deleted_at=now())
        else:
            ShowFactory(organization=people.organization, deleted_at=now())

    return Case(of(people, "trash/"), each(throw_away), at_most=5)


@case("all-episodes")
def all_episodes(people: People) -> Case:
    """Each of another show."""
    grow = each(lambda: full_episode(ShowFactory(organization=people.organization)))
    return Case("episodes/", grow, at_most=4)


@case("episodes")
def episodes(people: People) -> Case:
    show = ShowFactory(organization=people.organization)
    return Case(f"shows/{show.pk}/episodes/", each(lambda: full_episode(show)), at_most=6)


@case("episode")
def episode_with_renditions(people: People) -> Case:
    asset = AssetFactory(organization=people.organization, rendition=None)
    grow = each(lambda: RenditionFactory(asset=asset))
    episode = episode_of(people, audio=asset)
    return Case(f"episodes/{episode.pk}/", grow, at_most=4, count=nested("renditions"))


@case("episode-chapters")
def chapters(people: People) -> Case:
    asset: Asset = AssetFactory(organization=people.organization)
    episode = episode_of(people, audio=asset)

    def grow(count: int) -> None:
        asset.chapters += [{"start_ms": 0, "end_ms": 61_000, "title": "Begin"}] * count
        asset.save()

    return Case(f"episodes/{episode.pk}/chapters/", grow, at_most=3, count=nested("chapters"))


@case("seasons")
def seasons(people: People) -> Case:
    show, number = ShowFactory(organization=people.organization), numbers(1)
    audio = AssetFactory(organization=people.organization)

    def begin() -> None:
        EpisodeFactory(show=show, audio=audio, season_number=next(number), episode_number=1)

    address = f"shows/{show.pk}/seasons/"
    return Case(address, each(begin), at_most=8, count=nested("seasons"))


@case("organization-uploads")
def uploads(people: People) -> Case:
    def send() -> None:
        done = upload(people, status="complete")
        AssetFactory(organization=people.organization, upload=done, rendition=None)

    return Case(of(people, "uploads/"), each(send), at_most=4)


@case("upload")
def upload_with_parts(people: People) -> Case:
    opened, _ = open_upload(
        organization=people.organization, actor=people.owner, filename="a.mp3", size_bytes=10**9
    )
    number = numbers(1)

    def send() -> None:
        target = storage().part_target(
            in_store(opened),
            number=next(number),
            size_bytes=len(DATA),
            checksum_sha256=CHECKSUM,
            lifetime_seconds=300,
        )
        assert call(DataPlane(), "PUT", target.url, HEADERS, body=[DATA]).status == 200

    return Case(f"uploads/{opened.pk}/", each(send), at_most=5, count=nested("parts"))


@case("asset")
def asset_with_renditions(people: People) -> Case:
    asset = AssetFactory(organization=people.organization, rendition=None)
    grow = each(lambda: RenditionFactory(asset=asset))
    return Case(f"assets/{asset.pk}/", grow, at_most=6, count=nested("renditions"))


@case("webhooks")
def webhooks(people: People) -> Case:
    grow = each(lambda: WebhookEndpointFactory(organization=people.organization))
    return Case(of(people, "webhooks/"), grow, at_most=4)


@case("webhook-deliveries")
def deliveries(people: People) -> Case:
    endpoint = WebhookEndpointFactory(organization=people.organization)

    def tell() -> None:
        made = WebhookDeliveryFactory(endpoint=endpoint)
        WebhookAttempt.objects.create(delivery=made, number=1)

    return Case(f"webhooks/{endpoint.pk}/deliveries/", each(tell), at_most=5)


@case("webhook-delivery")
def delivery_with_attempts(people: People) -> Case:
    endpoint = WebhookEndpointFactory(organization=people.organization)
    event = WebhookEventFactory(organization=people.organization)
    delivery, number = WebhookDeliveryFactory(endpoint=endpoint, event=event), numbers(1)
    grow = each(lambda: WebhookAttempt.objects.create(delivery=delivery, number=next(number)))
    address = f"webhook-deliveries/{delivery.pk}/"
    return Case(address, grow, at_most=7, count=nested("attempts"))


@case("show-downloads")
def show_downloads(people: People) -> Case:
    show = ShowFactory(organization=people.organization)
    grow = each(lambda: store_download(EpisodeFactory(show=show)))
    return Case(f"shows/{show.pk}/downloads/", grow, at_most=4)


@case("episode-downloads")
def episode_downloads(people: People) -> Case:
    episode = episode_of(people)
    grow = each(lambda: store_download(episode))
    return Case(f"episodes/{episode.pk}/downloads/", grow, at_most=4)


@case("organization-statistics-shows")
def statistics_of_shows(people: People) -> Case:
    grow = each(lambda: store_download(episode_of(people)))
    address, rows = of(people, "statistics/shows/"), nested("rows")
    return Case(address, grow, at_most=8, count=rows, sizes=(1, 20, MOST_SHOWS))


@case("quarantine")
def quarantine(people: People) -> Case:
    """Each of another show, and of an address of its own."""
    number = numbers()
    grow = each(lambda: hold(episode_of(people), next(number)))
    return Case("platform/quarantine/", grow, at_most=5)


# --- The rule -------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", CASES)
def test_an_answer_costs_the_same_however_much_is_in_it(route: str, people: People) -> None:
    made = CASES[route](people)
    assert_constant_queries(
        people.client("staff" if route == "quarantine" else "owner"),
        f"/api/v1/{made.address}",
        made.grow,
        count=made.count,
        at_most=made.at_most,
        there=made.there,
        sizes=made.sizes,
    )


def lists() -> Iterator[str]:
    """The names of all routes that page."""
    for pattern in urlpatterns:
        view = getattr(pattern.callback, "view_class", None)
        paging = getattr(view, "pagination_class", None)
        if view and (issubclass(view, ListView) or paging is CursorPagination):
            yield str(pattern.name)


def test_every_list_is_measured() -> None:
    assert len(set(lists())) > 10
    assert set(lists()) - CASES.keys() == set()

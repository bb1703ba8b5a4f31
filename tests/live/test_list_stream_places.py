"""Streams of lists over several places: all shows, uploads, the platform."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from apps.accounts.actors import TokenActor
from apps.accounts.models import Membership
from apps.accounts.services import remove_member
from apps.media.models import Upload
from apps.media.uploads import abort_upload, open_upload
from podcasts.models import Show
from podcasts.services.episodes import create_episode
from tests.conftest import People
from tests.factories import MembershipFactory, ShowFactory
from tests.live.list_listening import listen, status
from tests.live.streaming import Stream, next_events
from tests.programs import program, token_of_organization, token_of_person

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_valkey"),
]


def test_the_list_of_all_episodes_tells_of_every_organisation_of_the_actor_and_no_other(
    people: People, show: Show
) -> None:
    second = MembershipFactory(user=people.owner, organization__name="Second").organization
    shows: list[Show] = [show, ShowFactory(organization=second), ShowFactory()]
    heard: list[str] = []

    async def talk(found: Stream) -> None:
        await next_events(found)
        for place in reversed(shows):
            await sync_to_async(create_episode)(show=place, created_by=None, title=place.title)
        while len(heard) < 2:
            heard.extend(event["row"]["title"] for _, event in await next_events(found))

    listen(people.client("owner"), "/api/v1/episodes/", talk)

    assert sorted(heard) == sorted(place.title for place in shows[:2])


def test_a_token_for_one_show_hears_only_of_it(people: People, show: Show) -> None:
    other = ShowFactory(organization=people.organization)
    _, secret = token_of_organization(people.organization, show_id=show.id)
    heard: list[str] = []

    async def talk(found: Stream) -> None:
        await next_events(found)
        for place in (other, show):
            await sync_to_async(create_episode)(show=place, created_by=None, title=place.title)
        heard.extend(event["row"]["title"] for _, event in await next_events(found))

    listen(program(secret), "/api/v1/episodes/", talk)

    assert heard == [show.title]


def test_who_leaves_one_organisation_goes_on_hearing_of_the_other(
    people: People, show: Show
) -> None:
    second = MembershipFactory(user=people.editor, organization__name="Second").organization
    member = Membership.objects.get(user=people.editor, organization=people.organization)
    owner = Membership.objects.get(user=people.owner)
    left, kept = show, ShowFactory(organization=second)
    heard: list[Any] = []

    async def talk(found: Stream) -> None:
        await next_events(found)
        await sync_to_async(remove_member)(actor=owner, membership=member)
        heard.extend(await next_events(found))
        for place in (left, kept):
            await sync_to_async(create_episode)(show=place, created_by=None, title=place.title)
        heard.extend(event["row"]["title"] for _, event in await next_events(found))

    listen(people.client("editor"), "/api/v1/episodes/", talk)

    assert heard == [("resync", {"type": "resync"}), kept.title]


def upload(people: People, actor: Any) -> Upload:
    return open_upload(
        organization=people.organization, actor=actor, filename="a.mp3", size_bytes=10
    )[0]


def test_uploads_are_told_from_their_beginning_to_their_end(people: People) -> None:
    target = f"/api/v1/organizations/{people.organization.id}/uploads/"
    heard: list[Any] = []

    async def talk(found: Stream) -> None:
        await next_events(found)
        opened = await sync_to_async(upload)(people, people.editor)
        heard.extend(await next_events(found))
        await sync_to_async(abort_upload)(upload=opened)
        heard.extend(await next_events(found))

    listen(people.client("editor"), target, talk)

    [row] = people.client("editor").get(target).json()["results"]
    assert heard[1] == ("upsert", {"type": "upsert", "id": row["id"], "row": row})
    assert [event["row"]["status"] for _, event in heard] == ["open", "aborted"]


@pytest.mark.parametrize(
    ("who", "answer"), [("editor", 200), ("analyst", 403), ("stranger", 404), ("anonymous", 401)]
)
def test_uploads_are_heard_by_whoever_may_send_some(people: People, who: str, answer: int) -> None:
    target = f"/api/v1/organizations/{people.organization.id}/uploads/"
    client = people.client(who)
    assert status(client, target) == answer == client.get(target).status_code


def test_a_token_for_one_show_hears_of_the_uploads_that_it_began(
    people: People, show: Show
) -> None:
    target = f"/api/v1/organizations/{people.organization.id}/uploads/"
    made, secret = token_of_organization(people.organization, show_id=show.id)
    ids: list[str] = []
    heard: list[str] = []

    async def talk(found: Stream) -> None:
        await next_events(found)
        opened = [
            await sync_to_async(upload)(people, actor)
            for actor in (people.editor, TokenActor(made))
        ]
        ids.extend(str(one.id) for one in opened)
        heard.extend(event["id"] for _, event in await next_events(found))

    listen(program(secret), target, talk)

    assert heard == ids[1:]


@pytest.mark.parametrize("kind", ["episodes", "uploads", "downloads", "hits"])
@pytest.mark.parametrize(
    ("who", "answer"), [("staff", 200), ("owner", 404), ("stranger", 404), ("anonymous", 401)]
)
def test_the_platforms_lists_are_heard_by_its_staff(
    people: People, kind: str, who: str, answer: int
) -> None:
    assert status(people.client(who), f"/api/v1/platform/live/{kind}") == answer


def test_no_token_hears_the_platforms_lists(people: People) -> None:
    _, secret = token_of_person(people.staff)
    assert status(program(secret), "/api/v1/platform/live/episodes") == 404


def test_staff_hear_that_something_changed_whosever_it_is(people: People, show: Show) -> None:
    heard: list[Any] = []

    async def talk(found: Stream) -> None:
        await next_events(found)
        create = sync_to_async(create_episode)
        await create(show=show, created_by=None, title="Begun")
        heard.extend(await next_events(found))

    listen(people.client("staff"), "/api/v1/platform/live/episodes", talk)

    assert heard == [("changed", {"type": "changed", "list": "episodes"})]

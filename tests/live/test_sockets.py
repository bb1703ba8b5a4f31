"""The dashboards' sockets: who may listen, and what they hear."""

import threading
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async

from apps.accounts.actors import Actor
from apps.accounts.roles import Role
from apps.live.consumers import BoardConsumer
from apps.live.groups import PLATFORM, Board, open_boards
from apps.live.publishing import publishing
from podcasts.access import get_show
from podcasts.models import Episode
from tests.conftest import People
from tests.factories import EpisodeFactory
from tests.live.dialling import PATIENCE, address, dial, hear, knock, open_and_hear, serving
from tests.live.making import batch, download

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_valkey"),
]

WHO = ["owner", "admin", "editor", "analyst", "staff", "stranger", "anonymous"]

SHOW_ANSWERS = [None, None, None, None, 4404, 4404, 4401]

PLATFORM_ANSWERS = [4404, 4404, 4404, 4404, None, 4404, 4401]


@pytest.mark.parametrize(("who", "answer"), list(zip(WHO, SHOW_ANSWERS, strict=True)))
def test_only_members_hear_a_show(
    people: People, episode: Episode, who: str, answer: int | None
) -> None:
    assert knock(people.client(who), address(episode)) == answer


@pytest.mark.parametrize(("who", "answer"), list(zip(WHO, PLATFORM_ANSWERS, strict=True)))
def test_only_staff_hear_the_platform(people: People, who: str, answer: int | None) -> None:
    assert knock(people.client(who), "/live/platform/") == answer


def test_too_weak_a_role_is_told_so(people: People, episode: Episode) -> None:
    class AdminsOnly(BoardConsumer):
        def may_listen(self, actor: Actor) -> None:
            get_show(actor, episode.show_id, Role.ADMIN)

    application = serving(AdminsOnly)

    assert knock(people.client("analyst"), address(episode), application) == 4403
    assert knock(people.client("admin"), address(episode), application) is None


def test_a_show_in_the_trash_has_no_socket(people: People, episode: Episode) -> None:
    episode.show.deleted_at = episode.created_at
    episode.show.save(update_fields=["deleted_at"])

    assert knock(people.client("owner"), address(episode)) == 4404


@pytest.mark.usefixtures("noon")
def test_socket_and_polling_say_the_same_of_a_show(people: People, episode: Episode) -> None:
    for country in ("DE", "", "FR"):
        download(episode, country=country)
    owner = people.client("owner")

    polled = owner.get(f"/api/v1/shows/{episode.show_id}/live/state/")

    assert polled.headers["Cache-Control"] == "private, no-cache"
    assert polled.json() == open_and_hear(owner, address(episode))
    assert polled.json()["episodes"] == {str(episode.id): 3}
    assert len({row["id"] for row in polled.json()["latest"]}) == 3


@pytest.mark.usefixtures("noon")
def test_socket_and_polling_say_the_same_of_the_platform(people: People, episode: Episode) -> None:
    download(episode)
    download(EpisodeFactory(), app="")
    staff = people.client("staff")

    polled = staff.get("/api/v1/platform/live/state/").json()

    assert polled == open_and_hear(staff, "/live/platform/")
    assert polled["today"] == 2
    assert {app["name"] for app in polled["apps"]} == {"Overcast", "Unknown app"}
    assert {show["title"] for show in polled["shows"]} == {row["show"] for row in polled["latest"]}


def test_an_open_socket_registers_its_board(people: People, episode: Episode) -> None:
    open_and_hear(people.client("owner"), address(episode))
    open_and_hear(people.client("staff"), "/live/platform/")

    assert open_boards() == {Board.of_show(episode.show_id), PLATFORM}


def test_a_download_reaches_an_open_dashboard_through_the_publisher(
    people: People, episode: Episode
) -> None:
    owner = people.client("owner")

    async def talk() -> dict[str, Any]:
        socket = dial(owner, address(episode))
        await socket.connect(PATIENCE)
        assert (await hear(socket))["today"] == 0
        await sync_to_async(download)(episode, app="AntennaPod", country="FR")
        publisher.note(batch(episode))
        message = await hear(socket)
        while message["today"] == 0:
            message = await hear(socket)
        await socket.disconnect(timeout=PATIENCE)
        return message

    with publishing() as publisher:
        message = async_to_sync(talk)()

    assert [row["app"] for row in message["latest"]] == ["AntennaPod"]
    assert not [thread for thread in threading.enumerate() if thread.name == "live"]

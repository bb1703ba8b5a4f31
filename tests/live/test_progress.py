"""The socket of an episode's audio: its whole state at once, and again with each step."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.testing import WebsocketCommunicator

from apps.accounts.models import Membership
from apps.media import claims
from apps.media.models import Asset, AssetStatus
from apps.media.storage import storage
from podcasts.audio import dismiss_incoming, process_incoming
from podcasts.audio_progress import announce_change, announce_progress
from podcasts.models import Episode
from tests.conftest import People
from tests.factories import AssetFactory, EpisodeFactory
from tests.live.dialling import PATIENCE, dial, hear, knock, open_and_hear, wait_for_close
from tests.media.sounds import make_sound

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_valkey"),
]


@pytest.fixture
def episode(people: People, tmp_path: Path) -> Episode:
    """A draft whose audio waits to be prepared."""
    path = make_sound(tmp_path / "a.wav", codec="pcm_s16le", bitrate=None)
    asset = AssetFactory(
        organization=people.organization,
        filename="a.wav",
        status=AssetStatus.PENDING,
        progress=0,
        rendition=None,
        storage_key="originals/a",
    )
    storage().put(path, asset.storage_key, content_type="audio/wav")
    return EpisodeFactory(
        show__organization=people.organization,
        status="draft",
        published_at=None,
        audio=None,
        incoming_audio=asset,
    )


def address(episode: Episode) -> str:
    return f"/live/episodes/{episode.id}/"


def listening(
    people: People, episode: Episode, talk: Callable[[WebsocketCommunicator], Awaitable[None]]
) -> None:
    """Do something while an analyst's page is open and has heard the first state."""

    async def whole() -> None:
        socket = dial(client, address(episode))
        assert (await socket.connect(PATIENCE))[0]
        await hear(socket)
        await talk(socket)
        await socket.disconnect(timeout=PATIENCE)

    client = people.client("analyst")
    async_to_sync(whole)()


def test_the_socket_says_first_what_the_api_says(people: People, episode: Episode) -> None:
    client = people.client("analyst")
    said = open_and_hear(client, address(episode))
    assert said == client.get(f"/api/v1/episodes/{episode.id}/audio/").json()
    assert (said["status"], said["incoming"]["filename"]) == ("pending", "a.wav")


@pytest.mark.parametrize(
    ("name", "code"), [("anonymous", 4401), ("stranger", 4404), ("staff", 4404), ("analyst", None)]
)
def test_only_members_may_listen(
    people: People, episode: Episode, name: str, code: int | None
) -> None:
    assert knock(people.client(name), address(episode)) == code


def test_a_page_follows_the_work_from_the_first_step_to_the_last(
    people: People, episode: Episode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "REPORTS_PER_SECOND", 1e9)
    assert episode.incoming_audio_id is not None
    asset_id = episode.incoming_audio_id
    heard: list[dict[str, Any]] = []

    async def talk(socket: WebsocketCommunicator) -> None:
        await sync_to_async(process_incoming)(asset_id)
        while not heard or heard[-1]["status"] != "ready":
            heard.append(await hear(socket))

    listening(people, episode, talk)
    steps = [said["incoming"]["progress"] for said in heard if said["incoming"]]
    assert steps == sorted(steps)
    assert {said["status"] for said in heard} == {"processing", "ready"}
    assert heard[-1]["incoming"] is None
    assert heard[-1]["audio"]["extension"] == "mp3"


def test_progress_of_another_file_is_not_shown(people: People, episode: Episode) -> None:
    async def talk(socket: WebsocketCommunicator) -> None:
        other = await sync_to_async(AssetFactory)()
        await sync_to_async(announce_progress)([episode.id], other.id, "Encoding", 50)
        await sync_to_async(dismiss_incoming)(episode=episode)
        said = await hear(socket)
        assert said["status"] == "empty"

    listening(people, episode, talk)
    assert Asset.objects.get(filename="a.wav").error_code == "cancelled"


def test_a_member_who_was_removed_hears_nothing_more(people: People, episode: Episode) -> None:
    async def talk(socket: WebsocketCommunicator) -> None:
        await sync_to_async(Membership.objects.filter(user=people.analyst).delete)()
        await sync_to_async(announce_change)([episode.id])
        assert await wait_for_close(socket) == 4404

    listening(people, episode, talk)


def test_work_goes_on_when_nobody_can_be_told(
    people: People, episode: Episode, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*arguments: object) -> None:
        raise ConnectionError("Valkey is away")

    layer = type("Layer", (), {"group_send": staticmethod(away)})
    monkeypatch.setattr("apps.core.announcing.get_channel_layer", lambda: layer)
    assert episode.incoming_audio_id is not None
    assert process_incoming(episode.incoming_audio_id)
    episode.refresh_from_db()
    assert episode.audio is not None

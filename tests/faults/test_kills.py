"""Each process is killed in turn, during an upload and during streams: nothing is lost or doubled.

The figures must equal what the listeners really took, whatever died meanwhile.
"""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.podcaster import Listener, Podcaster
from tests.instance import SIGNS, Instance, running_instance, wait_for
from tests.media.sounds import make_mp3

pytestmark = pytest.mark.faults
LISTENERS = 4
HEADER_BYTES = 8 * 1024 * 1024


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    with running_instance(
        LONGWAVE_UPLOAD_PART_BYTES=str(1024 * 1024), LONGWAVE_TRUSTED_PROXIES="127.0.0.0/8"
    ) as running:
        yield running


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten minutes, so that neither an upload nor a stream is over before something dies."""
    path = tmp_path_factory.mktemp("recording") / "recording.mp3"
    return make_mp3(path, seconds=600, bitrate=192_000)


@pytest.mark.parametrize("victim", SIGNS)
def test_nothing_is_lost_when_a_process_is_killed(
    victim: str, instance: Instance, recording: Path
) -> None:
    podcaster = Podcaster(instance, "demo@example.com")
    show = podcaster.show()
    episode = podcaster.new_episode(show["id"], f"While {victim} dies")

    podcaster.upload(
        show,
        episode,
        recording,
        between=lambda number: instance.kill(victim) if number == 3 else None,
    )
    podcaster.wait_until_ready(episode)
    podcaster.ask("POST", f"/studio/episodes/{episode}/publish/")
    url = podcaster.ask("GET", f"/api/v1/episodes/{episode}/").json()["enclosure"]["url"]

    listeners = [Listener(url, f"203.0.113.{number}") for number in range(1, LISTENERS + 1)]
    threads = [threading.Thread(target=listener.listen) for listener in listeners]
    for thread in threads:
        thread.start()
    wait_for(
        lambda: all(len(listener.received) > 2_000_000 for listener in listeners),
        what="every stream to be under way",
    )
    assert all(len(listener.received) < recording.stat().st_size for listener in listeners)
    instance.kill(victim)
    for thread in threads:
        thread.join(180)

    fast = Listener(url, "203.0.113.200", agent="Overcast/3.0", seconds_a_chunk=0)
    fast.listen()
    assert [listener.received == fast.received for listener in listeners] == [True] * LISTENERS
    expected = LISTENERS + 1
    wait_for(
        lambda: podcaster.downloads(show["id"], episode) >= expected,
        what=f"{expected} downloads",
    )
    assert podcaster.downloads(show["id"], episode) == expected


def test_figures_survive_a_restart(instance: Instance) -> None:
    podcaster = Podcaster(instance, "demo@example.com")
    show = podcaster.show()
    before = podcaster.ask("GET", f"/api/v1/shows/{show['id']}/live/state/").json()["episodes"]
    assert sum(before.values()) == (LISTENERS + 1) * len(SIGNS)
    assert instance.stop() == 0
    instance.start()
    podcaster = Podcaster(instance, "demo@example.com")
    after = podcaster.ask("GET", f"/api/v1/shows/{show['id']}/live/state/").json()["episodes"]
    assert after == before


def test_a_fast_listener_who_is_cut_off_near_the_end_is_counted(
    instance: Instance, tmp_path: Path
) -> None:
    """Nothing of the first response is told by its end, nor by the time that it lasted."""
    podcaster = Podcaster(instance, "demo@example.com")
    show = podcaster.show()
    episode, file = podcaster.new_episode(show["id"], "Fast"), _with_large_header(tmp_path)
    podcaster.upload(show, episode, file, between=lambda number: None)
    podcaster.wait_until_ready(episode)
    podcaster.ask("POST", f"/studio/episodes/{episode}/publish/")
    url = podcaster.ask("GET", f"/api/v1/episodes/{episode}/").json()["enclosure"]["url"]

    size_bytes = file.stat().st_size
    listener = Listener(url, "203.0.113.1", seconds_a_chunk=0)
    connection = listener.begin(size_bytes * 9 // 10)
    instance.kill("web")
    connection.close()
    listener.listen()

    assert listener.received == file.read_bytes()
    assert size_bytes // 10 < HEADER_BYTES, "the rest alone would be a download"
    wait_for(lambda: podcaster.downloads(show["id"], episode), what="the download")
    assert podcaster.downloads(show["id"], episode) == 1


def _with_large_header(folder: Path) -> Path:
    """A tenth of it is more than a kernel holds for a client, and less than a header."""
    minute = make_mp3(folder / "minute.mp3", seconds=60, bitrate=320_000).read_bytes()
    digits = [HEADER_BYTES >> shift & 0x7F for shift in (21, 14, 7, 0)]  # ID3v2.4, 3.1
    path = folder / "large.mp3"
    path.write_bytes(b"ID3\x04\0\0" + bytes(digits) + bytes(HEADER_BYTES) + 20 * minute)
    return path

"""Twenty kills at any moment under load: each download that was finished is counted once."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.crowd import Crowd
from tests.faults.podcaster import Podcaster
from tests.instance import PROJECT, Instance, running_instance, wait_for
from tests.media.sounds import make_mp3

pytestmark = pytest.mark.faults

SEED = int(os.environ.get("LONGWAVE_FAULTS_SEED", "20"))
VICTIMS = ["counter", "web", "valkey", "postgres"]
KILLS_EACH = 5
LISTENERS = 5
# Of a file of 300 s, of which a minute with the header is a fifth and a little.
ENOUGH, TOO_LITTLE = 0.22, 0.19


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    with running_instance(
        LONGWAVE_TRUSTED_PROXIES="127.0.0.0/8", LONGWAVE_ADDRESS_CEILING="0"
    ) as running:
        yield running


def publish(podcaster: Podcaster, folder: Path) -> tuple[str, str, int]:
    """An episode of five minutes on the demo show: its id, its address and its size."""
    recording = make_mp3(folder / "recording.mp3", seconds=300, bitrate=128_000)
    show = podcaster.show()
    episode = podcaster.new_episode(show["id"], "While everything dies")
    podcaster.upload(show, episode, recording, between=lambda number: None)
    podcaster.wait_until_ready(episode)
    podcaster.ask("POST", f"/studio/episodes/{episode}/publish/")
    enclosure = podcaster.ask("GET", f"/api/v1/episodes/{episode}/").json()["enclosure"]
    return episode, enclosure["url"], recording.stat().st_size


def kill_at_random(instance: Instance, chance: random.Random) -> None:
    """``kill -9``, also of what has not yet come up again after the kill before."""
    victims = VICTIMS * KILLS_EACH
    chance.shuffle(victims)
    for name in victims:
        time.sleep(chance.uniform(0.1, 1.2))
        wait_for(lambda name=name: _kill(instance, name), what=f"a {name} to kill")  # type: ignore[misc]


def _kill(instance: Instance, name: str) -> bool:
    instance.find(name).send_signal(signal.SIGKILL)
    return True


def test_no_finished_download_is_lost_or_doubled_by_twenty_kills(
    instance: Instance, tmp_path: Path
) -> None:
    podcaster = Podcaster(instance, "demo@example.com")
    show = podcaster.show()["id"]
    episode, url, size_bytes = publish(podcaster, tmp_path)
    crowd = Crowd(
        url,
        enough_bytes=int(size_bytes * ENOUGH),
        too_few_bytes=int(size_bytes * TOO_LITTLE),
        seed=SEED,
    )

    with crowd.at_work(LISTENERS):
        kill_at_random(instance, random.Random(SEED))
    wait_for(
        lambda: podcaster.downloads(show, episode) >= crowd.finished,
        what=f"{crowd.finished} downloads",
    )

    assert crowd.resumed, "nobody was cut off: the kills came too late"
    # What still lies in a journal or in the stream, if anything does, is counted by a restart.
    assert instance.stop() == 0
    instance.start()
    podcaster = Podcaster(instance, "demo@example.com")
    assert podcaster.downloads(show, episode) == crowd.finished
    check_totals(instance)


def check_totals(instance: Instance) -> None:
    """All totals are what the downloads add up to."""
    subprocess.run(
        [sys.executable, "manage.py", "rebuild_totals", "--check"],
        cwd=PROJECT,
        env={
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}
        }
        | {"LONGWAVE_DATA": str(instance.data)},
        check=True,
        timeout=60,
    )

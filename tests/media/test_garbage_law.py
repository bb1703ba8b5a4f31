"""A law of collecting garbage: whatever happens in whatever order, what is in use is there."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from apps.core.clock import now
from apps.media.garbage import collect_garbage
from apps.media.models import Asset
from apps.media.retention import hold_object
from apps.media.storage import Storage
from podcasts.audio import dismiss_incoming, receive_audio
from podcasts.models import Episode, Show
from podcasts.services.trash import delete_episode, empty_trash, restore_episode
from tests.factories import AssetFactory, EpisodeFactory, RenditionFactory, ShowFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey")]

SHOWS, SLOTS, CONTENTS = 2, 3, 4
slots, contents = st.integers(0, SLOTS - 1), st.integers(0, CONTENTS - 1)
STEPS = st.one_of(
    st.tuples(st.just("serve"), slots, contents),
    st.tuples(st.just("prepare"), slots, contents),
    st.tuples(st.just("dismiss"), slots),
    st.tuples(st.just("trash"), slots),
    st.tuples(st.just("restore"), slots),
    st.tuples(st.just("die before the row"), contents),
    st.tuples(st.just("wait"), st.integers(1, 40)),
    st.tuples(st.just("collect")),
    st.tuples(st.just("collect")),
)


def key_of(content: int) -> str:
    sha256 = hashlib.sha256(bytes([content])).hexdigest()
    return f"renditions/{sha256[:2]}/{sha256}.mp3"


class World:
    """Two tenants whose episodes share contents, and what a listener may still ask for."""

    def __init__(self, store: Storage, file: Path, start: datetime) -> None:
        self.store, self.file, self.time = store, file, start
        self.shows: list[Show] = [ShowFactory() for _ in range(SHOWS)]
        self.episodes: dict[int, Episode] = {}
        self.last_used: dict[str, datetime] = {}

    def take(self, step: tuple[str, *tuple[int, ...]]) -> None:
        name, *arguments = step
        with self.clock():
            getattr(self, f"_{name.replace(' ', '_')}")(*arguments)
            self.look()

    @contextmanager
    def clock(self) -> Iterator[None]:
        with time_machine.travel(self.time, tick=False):
            yield

    def look(self) -> None:
        """Everything that an episode refers to, or did within the time of grace, is stored."""
        for episode in Episode.objects.select_related("audio", "incoming_audio"):
            for asset in (episode.audio, episode.incoming_audio):
                if asset is not None:
                    self.last_used[asset.storage_key] = self.time
        for key, used_at in self.last_used.items():
            if used_at > self.time - settings.GARBAGE_GRACE:
                assert self.store.exists(key), f"{key} was in use at {used_at}"

    def stored(self) -> set[str]:
        return {item.key for item in self.store.list_objects("")}

    def _episode(self, slot: int) -> Episode:
        known = self.episodes.get(slot)
        if known is None or not Episode.objects.filter(pk=known.pk).exists():
            show = self.shows[slot % SHOWS]
            self.episodes[slot] = EpisodeFactory(show=show, audio=None, status="draft")
        self.episodes[slot].refresh_from_db()
        return self.episodes[slot]

    def _put(self, content: int) -> None:
        self.store.put(self.file, key_of(content), content_type="audio/mpeg")

    def _asset(self, episode: Episode, content: int, **fields: object) -> Asset:
        """One that is there already, used or not, or a new one: as a worker makes it."""
        key = key_of(content)
        kept = Asset.objects.filter(organization_id=episode.organization_id, storage_key=key)
        if (asset := kept.filter(**fields).first()) is not None:
            return asset
        hold_object(key)
        self._put(content)
        made: Asset = AssetFactory(
            organization=episode.organization, storage_key=key, rendition=None, **fields
        )
        RenditionFactory(asset=made, storage_key=key)
        return made

    def _serve(self, slot: int, content: int) -> None:
        episode = self._episode(slot)
        receive_audio(episode=episode, asset=self._asset(episode, content, status="ready"))

    def _prepare(self, slot: int, content: int) -> None:
        episode = self._episode(slot)
        receive_audio(episode=episode, asset=self._asset(episode, content, status="pending"))

    def _dismiss(self, slot: int) -> None:
        dismiss_incoming(episode=self._episode(slot))

    def _trash(self, slot: int) -> None:
        delete_episode(episode=self._episode(slot))

    def _restore(self, slot: int) -> None:
        restore_episode(episode=self._episode(slot))

    def _die_before_the_row(self, content: int) -> None:
        self._put(content)

    def _wait(self, days: int) -> None:
        self.time += timedelta(days=days)

    def _collect(self) -> None:
        empty_trash()
        collect_garbage(now(), tell=print)


@hypothesis_settings(
    max_examples=60,
    deadline=None,
    # The store's folder stays from one example to the next: each empties it at its end.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, min_size=4, max_size=24))
def test_what_is_in_use_or_was_a_moment_ago_is_never_collected_and_the_rest_is(
    disk_store: Storage, tmp_path: Path, steps: list[tuple[str, *tuple[int, ...]]]
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"contents")
    with transaction.atomic():
        world = World(disk_store, file, now() + timedelta(days=1))
        for step in steps:
            world.take(step)
        # In the end nothing is left but what rows name that something refers to: the trash is
        # emptied once, and what that frees has its time of grace.
        world.take(("wait", settings.TRASH_LIFETIME.days + 1))
        for _ in range(3):
            world.take(("collect",))
            world.take(("wait", settings.GARBAGE_GRACE.days + 1))
        used = {
            asset.storage_key
            for episode in Episode.objects.select_related("audio", "incoming_audio")
            for asset in (episode.audio, episode.incoming_audio)
            if asset is not None
        }
        assert world.stored() == used
        transaction.set_rollback(True)
    for key in world.stored():
        disk_store.delete(key)

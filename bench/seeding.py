"""Makes the show that is measured, in the instance that Django is connected to."""

import hashlib
import random
import secrets
import tempfile
from datetime import timedelta
from pathlib import Path

from allauth.account.models import EmailAddress
from django.conf import settings

from apps.accounts.models import User
from apps.accounts.services import found_organization
from apps.core.clock import now
from apps.media.models import Asset, AssetStatus, Rendition
from apps.media.storage import storage
from bench.stored import EPISODES, HANDLE, Seeded, StoredFile
from podcasts.feeds.publish import refresh_feed
from podcasts.models import Episode, EpisodeStatus, FeedDocument, Show
from podcasts.notes import render_notes
from podcasts.services.shows import create_show

EMAIL = "somebody@example.com"
LARGE_FILES = 4
SMALL_BYTES = 2_000_000
BITRATE_BPS = 128_000

_NOTES = """\
In this episode we talk about **what was measured**, on which machine, and why a figure without
a method is an opinion. There is [a transcript](https://example.com/transcripts/{number}).

- 00:00 What happened since last time
- 04:30 The guest, and how it all began
- 21:15 Three questions from listeners
- 38:40 What comes next

## Links
1. [The first paper](https://example.com/papers/{number}/first)
2. [The second paper](https://example.com/papers/{number}/second)
3. [Where to write to us](mailto:show@example.com)
"""


def seed(*, large_bytes: int) -> Seeded:
    """An owner with a show, and its feed rendered."""
    owner = User.objects.create_user(EMAIL, password := secrets.token_urlsafe(), name="Somebody")
    EmailAddress.objects.create(user=owner, email=EMAIL, verified=True, primary=True)
    show = create_show(
        organization=found_organization(owner=owner, name="Benchmarks"),
        title="The Benchmark",
        handle=HANDLE,
        description="Three hundred episodes about nothing but numbers.",
        category="Technology",
        author="Somebody",
        owner_name="Somebody",
        owner_email=EMAIL,
    )
    large = [_store(show, number, large_bytes) for number in range(LARGE_FILES)]
    small = [_store(show, LARGE_FILES, SMALL_BYTES)] * (EPISODES - LARGE_FILES)
    files = _publish(show, large + small)
    refresh_feed(show.pk)
    return Seeded(
        show=show.pk,
        organization=show.organization_id,
        email=EMAIL,
        password=password,
        media_root=settings.MEDIA_STORE_ROOT,
        large=tuple(files[:LARGE_FILES]),
        small=tuple(files[LARGE_FILES:]),
        feed_xml=bytes(FeedDocument.objects.get(show=show).xml),
    )


def _store(show: Show, number: int, size_bytes: int) -> Rendition:
    """Random bytes as a rendition: nobody decodes them, and no two stretches are equal."""
    content = random.Random(number).randbytes(size_bytes)
    sha256 = hashlib.sha256(content).hexdigest()
    key = f"renditions/{sha256[:2]}/{sha256}.mp3"
    with tempfile.TemporaryDirectory(prefix="longwave-bench-") as folder:
        path = Path(folder, "random.mp3")
        path.write_bytes(content)
        storage().put(path, key, content_type="audio/mpeg")
    asset = Asset.objects.create(
        organization_id=show.organization_id,
        filename=f"{number}.mp3",
        size_bytes=size_bytes,
        sha256=sha256,
        storage_key=key,
        status=AssetStatus.READY,
        progress=100,
    )
    return Rendition.objects.create(
        asset=asset,
        storage_key=key,
        sha256=sha256,
        content_type="audio/mpeg",
        extension="mp3",
        codec="mp3",
        size_bytes=size_bytes,
        header_bytes=0,
        duration_ms=size_bytes * 8000 // BITRATE_BPS,
        bitrate_bps=BITRATE_BPS,
    )


def _publish(show: Show, renditions: list[Rendition]) -> list[StoredFile]:
    """An episode for each; in one go, for the services would render the feed after each."""
    episodes = Episode.objects.bulk_create(
        Episode(
            organization_id=show.organization_id,
            show=show,
            title=f"Episode {number}: what we measured this week, and what it means",
            slug=f"episode-{number}",
            notes=(notes := _NOTES.format(number=number)),
            notes_html=render_notes(notes),
            episode_number=number,
            audio_id=rendition.asset_id,
            status=EpisodeStatus.PUBLISHED,
            published_at=now() - timedelta(days=number),
        )
        for number, rendition in enumerate(renditions, start=1)
    )
    root = settings.MEDIA_STORE_ROOT
    return [
        StoredFile(episode.pk, rendition.pk, root / rendition.storage_key, rendition.storage_key)
        for episode, rendition in zip(episodes, renditions, strict=True)
    ]

"""What serving, leading elsewhere and counting need to know of an episode's audio."""

from functools import cached_property, lru_cache, partial

from apps.downloads.hit import HitSubject
from apps.downloads.telling import steps_of
from apps.media.delivery import Answer, ElsewhereFile, cache_control_to_keep, cdn_name
from apps.media.serving import Resource, Steps
from apps.media.sources import Segment, Source
from apps.media.storage import storage
from podcasts.media_lookup import EpisodeAudio
from podcasts.urls import media_folder

# Kept, but asked for again every time: the address is stable while its file may be replaced.
_PUBLIC = "no-cache, no-transform"
_PREVIEW = "private, no-store"
_KEPT = 4096


@lru_cache(maxsize=_KEPT)
def served(audio: EpisodeAudio) -> "ServedAudio":
    """Made once for a file version: an `EpisodeAudio` is the same object until it changes."""
    return ServedAudio(audio)


class ServedAudio:
    """One file version, as the parts of an answer want it; each is made when first asked for."""

    def __init__(self, audio: EpisodeAudio) -> None:
        self._audio = audio
        self.delivery = audio.delivery

    def resource(self, answer: Answer) -> Resource:
        """The file with the header fields of this answer."""
        return self._to_keep if answer is Answer.BYTES_TO_KEEP else self._public

    @cached_property
    def preview(self) -> Resource:
        """The file for a member of the studio alone."""
        return self._resource(_PREVIEW)

    @cached_property
    def elsewhere(self) -> ElsewhereFile:
        """The file as bucket and CDN know it."""
        audio = self._audio
        return ElsewhereFile(
            storage_key=audio.storage_key,
            purpose=str(audio.episode),
            folder=media_folder(audio.episode),
            cdn_name=cdn_name(audio.slug, audio.extension, audio.sha256),
            filename=f"{audio.slug}.{audio.extension}",
            content_type=audio.content_type,
        )

    @cached_property
    def subject(self) -> HitSubject:
        """The file as the counter knows it."""
        audio = self._audio
        return HitSubject(
            episode=audio.episode,
            show=audio.show,
            organization=audio.organization,
            rendition=audio.rendition,
            size=audio.size_bytes,
            header=audio.header_bytes,
            duration_ms=audio.duration_ms,
        )

    @cached_property
    def steps(self) -> Steps:
        """In which the counter is told what was sent."""
        audio = self._audio
        return steps_of(
            size_bytes=audio.size_bytes,
            header_bytes=audio.header_bytes,
            duration_ms=audio.duration_ms,
        )

    @cached_property
    def _public(self) -> Resource:
        return self._resource(_PUBLIC)

    @cached_property
    def _to_keep(self) -> Resource:
        return self._resource(cache_control_to_keep())

    def _resource(self, cache_control: str) -> Resource:
        audio = self._audio
        open_file = partial(_open, audio.storage_key, audio.size_bytes)
        return Resource(
            segments=(Segment(open_file, audio.size_bytes),),
            content_type=audio.content_type,
            etag=f'"{audio.sha256}"',
            last_modified=audio.created_at,
            filename=f"{audio.slug}.{audio.extension}",
            cache_control=cache_control,
        )


async def _open(key: str, size_bytes: int) -> Source:
    return await storage().open_source(key, size_bytes)

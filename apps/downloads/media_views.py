"""How an episode's audio is answered at its stable address, and reported as a hit."""

from functools import lru_cache, partial
from urllib.parse import urlsplit
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404
from django.http.response import HttpResponseBase

from apps.core.addresses import client_address
from apps.core.clock import now
from apps.core.ids import new_id
from apps.downloads.hit import HitSubject, hit_message, request_members
from apps.downloads.hits import record_message
from apps.media.delivery import (
    Answer,
    ElsewhereFile,
    cache_control_to_keep,
    cdn_name,
    decide,
    lead_elsewhere,
    viewer_address,
)
from apps.media.serving import MediaResponse, Resource, serve
from apps.media.sources import Segment, Source
from apps.media.storage import storage
from podcasts.media_lookup import EpisodeAudio, find_preview_audio, find_public_audio
from podcasts.previews import PARAMETER, is_preview_token
from podcasts.urls import media_folder

# Kept, but asked for again every time: the address is stable while its file may be replaced.
_PUBLIC = "no-cache, no-transform"
_PREVIEW = "private, no-store"
# What is derived from a file version, per process: an `EpisodeAudio` is the same object until it
# changes.
_KEPT = 4096
_FORWARDED = "X-Forwarded-For"
_COUNTED_METHODS = {"GET", "HEAD"}  # HEAD is dropped by the rules, which say so to the user


async def media(request: ASGIRequest, episode_id: UUID, filename: str) -> HttpResponseBase:
    """``/media/<episode id>/<name>.<ext>``: the current rendition, whatever the name says."""
    token = request.GET.get(PARAMETER)
    if token is not None:
        return await _preview(request, episode_id, token)
    audio = await find_public_audio(episode_id)
    if audio is None:
        raise Http404
    elsewhere = _elsewhere(audio)
    answer = decide(request.headers, filename, elsewhere, audio.delivery)
    report = _Report(request, audio, is_for_cdn=answer.is_for_cdn)
    response: HttpResponseBase | None = None
    if answer.is_redirect:
        response = await lead_elsewhere(request, _resource(audio, _PUBLIC), elsewhere, answer)
    if response is None:
        caching = cache_control_to_keep() if answer is Answer.BYTES_TO_KEEP else _PUBLIC
        response = await serve(request, _resource(audio, caching), on_sent=report)
    report.status = response.status_code
    if request.method in _COUNTED_METHODS and not isinstance(response, MediaResponse):
        report([], True)
    return response


async def _preview(request: ASGIRequest, episode_id: UUID, token: str) -> HttpResponseBase:
    """What the studio's own player plays: listening to one's own work is no download."""
    if not is_preview_token(token, episode_id):
        raise PermissionDenied
    audio = await find_preview_audio(episode_id)
    if audio is None:
        raise Http404
    return await serve(request, _resource(audio, _PREVIEW))


@lru_cache(maxsize=_KEPT)
def _resource(audio: EpisodeAudio, cache_control: str) -> Resource:
    open_file = partial(_open, audio.storage_key, audio.size_bytes)
    return Resource(
        segments=(Segment(open_file, audio.size_bytes),),
        content_type=audio.content_type,
        etag=f'"{audio.sha256}"',
        last_modified=audio.created_at,
        filename=f"{audio.slug}.{audio.extension}",
        cache_control=cache_control,
    )


@lru_cache(maxsize=_KEPT)
def _elsewhere(audio: EpisodeAudio) -> ElsewhereFile:
    return ElsewhereFile(
        storage_key=audio.storage_key,
        folder=media_folder(audio.episode),
        cdn_name=cdn_name(audio.slug, audio.extension, audio.sha256),
        filename=f"{audio.slug}.{audio.extension}",
        content_type=audio.content_type,
    )


async def _open(key: str, size_bytes: int) -> Source:
    return await storage().open_source(key, size_bytes)


class _Report:
    """Turns what was sent into hits of one response; its event time is the request's begin."""

    def __init__(self, request: ASGIRequest, audio: EpisodeAudio, *, is_for_cdn: bool) -> None:
        self.status = 0
        self._is_for_cdn = is_for_cdn
        self._request = request
        self._subject = _subject(audio)
        self._at = int(now().timestamp() * 1000)
        self._members = ""

    def __call__(self, sent: list[tuple[int, int]], is_final: bool) -> None:
        self._members = self._members or self._describe()
        record_message(hit_message(self._subject, self._members, sent, is_final=is_final))

    def _describe(self) -> str:
        """Rendered when something is to be told, and only once."""
        headers = self._request.headers
        client = self._request.scope.get("client")
        ip = client_address(client[0] if client else None, headers.get(_FORWARDED, ""))
        if self._is_for_cdn:
            ip = viewer_address(headers) or ip
        return request_members(
            new_id(),
            at=self._at,
            method=self._request.method or "",
            status=self.status,
            ip=ip,
            agent=headers.get("User-Agent", ""),
            asked_range=headers.get("Range", ""),
            referrer=_host(headers.get("Referer", "")),
            via="cdn" if self._is_for_cdn else "",
        )


@lru_cache(maxsize=_KEPT)
def _subject(audio: EpisodeAudio) -> HitSubject:
    return HitSubject(
        episode=audio.episode,
        show=audio.show,
        organization=audio.organization,
        rendition=audio.rendition,
        size=audio.size_bytes,
        header=audio.header_bytes,
        duration_ms=audio.duration_ms,
    )


def _host(referrer: str) -> str:
    if not referrer:
        return ""
    try:
        return urlsplit(referrer).hostname or ""
    except ValueError:
        return ""

"""How an episode's audio is answered at its stable address, and reported as a hit."""

from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from apps.core.addresses import client_address
from apps.core.clock import now
from apps.core.ids import new_id
from apps.downloads.hits import Hit, record
from apps.media.serving import MediaResponse, Resource, serve
from apps.media.sources import Segment
from apps.media.storage import storage
from podcasts.media_lookup import EpisodeAudio, find_preview_audio, find_public_audio
from podcasts.previews import PARAMETER, is_preview_token

# Kept, but asked for again every time: the address is stable while its file may be replaced.
_PUBLIC = "no-cache, no-transform"
_PREVIEW = "private, no-store"
_COUNTED_METHODS = {"GET", "HEAD"}  # HEAD is dropped by the rules, which say so to the user


async def media(request: HttpRequest, episode_id: UUID, filename: str) -> HttpResponseBase:
    """``/media/<episode id>/<name>.<ext>``: the current rendition, whatever the name says."""
    token = request.GET.get(PARAMETER)
    if token is not None:
        return await _preview(request, episode_id, token)
    audio = await find_public_audio(episode_id)
    if audio is None:
        raise Http404
    report = _Report(request, audio)
    response = await serve(request, _resource(audio, _PUBLIC), on_sent=report)
    report.status = response.status_code
    if request.method in _COUNTED_METHODS and not isinstance(response, MediaResponse):
        await report([], True)
    return response


async def _preview(request: HttpRequest, episode_id: UUID, token: str) -> HttpResponseBase:
    """What the studio's own player plays: listening to one's own work is no download."""
    if not is_preview_token(token, episode_id):
        raise PermissionDenied
    audio = await find_preview_audio(episode_id)
    if audio is None:
        raise Http404
    return await serve(request, _resource(audio, _PREVIEW))


def _resource(audio: EpisodeAudio, cache_control: str) -> Resource:
    open_file = partial(storage().open_source, audio.storage_key, audio.size_bytes)
    return Resource(
        segments=(Segment(open_file, audio.size_bytes),),
        content_type=audio.content_type,
        etag=f'"{audio.sha256}"',
        last_modified=audio.created_at,
        filename=f"{audio.slug}.{audio.extension}",
        cache_control=cache_control,
    )


class _Report:
    """Turns what was sent into hits of one response; its event time is the request's begin."""

    def __init__(self, request: HttpRequest, audio: EpisodeAudio) -> None:
        self.status = 0
        self._hit = Hit(
            id=new_id(),
            at=int(now().timestamp() * 1000),
            episode=audio.episode,
            show=audio.show,
            organization=audio.organization,
            rendition=audio.rendition,
            size=audio.size_bytes,
            header=audio.header_bytes,
            duration_ms=audio.duration_ms,
            method=request.method or "",
            status=0,
            ip=client_address(
                request.META.get("REMOTE_ADDR"), request.headers.get("X-Forwarded-For", "")
            ),
            agent=request.headers.get("User-Agent", ""),
            range=request.headers.get("Range", ""),
            referrer=_host(request.headers.get("Referer", "")),
        )

    async def __call__(self, sent: list[tuple[int, int]], final: bool) -> None:
        await record(replace(self._hit, status=self.status, sent=tuple(sent), final=final))


def _host(referrer: str) -> str:
    try:
        return urlsplit(referrer).hostname or ""
    except ValueError:
        return ""

"""How an episode's audio is answered at its stable address, and reported as a hit."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404
from django.http.response import HttpResponseBase

from apps.downloads.report import Report
from apps.downloads.served_audio import served
from apps.media.delivery import decide, lead_elsewhere
from apps.media.serving import serve
from podcasts.media_lookup import find_preview_audio, find_public_audio
from podcasts.previews import PARAMETER, is_preview_token


async def media(request: ASGIRequest, episode_id: UUID, filename: str) -> HttpResponseBase:
    """``/media/<episode id>/<name>.<ext>``: the current rendition, whatever the name says."""
    if request.GET and (token := request.GET.get(PARAMETER)) is not None:
        return await _preview(request, episode_id, token)
    found = await find_public_audio(episode_id)
    if found is None:
        raise Http404
    audio = served(found)
    answer = decide(request.headers, filename, audio.elsewhere, audio.delivery)
    resource = audio.resource(answer)
    report = Report(request, audio.subject, answer)
    response: HttpResponseBase | None = None
    if answer.is_redirect:
        response = await lead_elsewhere(request, resource, audio.elsewhere, answer)
    if response is None:
        response = await serve(request, resource, on_sent=report, steps=audio.steps)
    report.begin(response)
    return response


async def _preview(request: ASGIRequest, episode_id: UUID, token: str) -> HttpResponseBase:
    """What the studio's own player plays: listening to one's own work is no download."""
    if not is_preview_token(token, episode_id):
        raise PermissionDenied
    audio = await find_preview_audio(episode_id)
    if audio is None:
        raise Http404
    return await serve(request, served(audio).preview)

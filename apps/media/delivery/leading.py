"""The redirect that leads a listener from an episode's stable address to who sends the bytes."""

import logging
import re
from collections.abc import Mapping
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apps.media.delivery.configuration import Cdn, CdnWay, cdn
from apps.media.delivery.decision import Answer, ElsewhereFile
from apps.media.serving.plan import Plan, Resource, plan_response
from apps.media.storage import StorageError, storage

logger = logging.getLogger(__name__)

# What belongs to the file, and so to whoever sends it.
_OF_THE_FILE = {
    "Cache-Control",
    "Content-Disposition",
    "Content-Length",
    "Content-Range",
    "Content-Type",
    "ETag",
    "Last-Modified",
}
_OUR_ENTITY_TAG = re.compile(r'"[0-9a-f]{64}"')
_ENTITY_TAG = re.compile(r'(?:W/)?"[^"]*"')


async def lead_elsewhere(
    request: HttpRequest, resource: Resource, file: ElsewhereFile, way: Answer
) -> HttpResponse | None:
    """302 where `serve` would send bytes; None where it is to answer after all.

    That is for other methods, conditions and ranges that fail, and when no address can be made.
    Only for what anybody may have.
    """
    plan = plan_response(request.method or "", request.headers, resource)
    if _is_answered_here(plan, request, way):
        return None
    try:
        address = await _address(file, way)
    except Exception:
        # Whatever keeps us from signing (no credentials, say), the file is still there.
        logger.exception("No address elsewhere can be made: %s is sent from here", file.storage_key)
        return None
    response = HttpResponse(status=302, headers=_about_the_redirect(plan) | {"Location": address})
    del response.headers["Content-Type"]
    return response


def _is_answered_here(plan: Plan, request: HttpRequest, way: Answer) -> bool:
    if plan.status == 412:
        return not _names_another_state(request.headers)
    if request.method == "HEAD" and way is Answer.WAY_TO_BUCKET:
        return True  # a presigned address holds for one method, and GET is the one to come
    return plan.status not in {200, 206}


def _names_another_state(headers: Mapping[str, str]) -> bool:
    """Whether If-Match speaks of a file as its sender describes it, who has other tags and dates.

    Such a precondition is for the sender to judge. RFC 9110, 13.2.1, has a server ignore all of
    them on a redirect; what we know to fail, or to be there already, we say at once all the same.
    """
    if_match = headers.get("If-Match")
    if if_match is None:
        return True  # it was If-Unmodified-Since
    return any(not _OUR_ENTITY_TAG.fullmatch(tag) for tag in _ENTITY_TAG.findall(if_match))


def _about_the_redirect(plan: Plan) -> dict[str, str]:
    """CORS for players in web pages; nothing may be kept, so that a change is seen at once."""
    general = {name: value for name, value in plan.headers.items() if name not in _OF_THE_FILE}
    return general | {"Cache-Control": "no-store"}


async def _address(file: ElsewhereFile, way: Answer) -> str:
    if way is Answer.WAY_TO_BUCKET:
        return await _bucket_address(file)
    found = _usable_cdn()
    if found.way is CdnWay.PUBLIC:
        return f"https://{found.domain}{file.folder}{quote(file.cdn_name)}"
    from apps.media.delivery.signing import signed_address  # with a library for keys

    return await signed_address(file.storage_key, purpose=file.purpose)


def _usable_cdn() -> Cdn:
    found = cdn()
    if found is None:
        raise RuntimeError("a listener is led to a CDN that can't be used")
    return found


async def _bucket_address(file: ElsewhereFile) -> str:
    from apps.media.storage.s3 import S3Storage  # boto3 takes a third of a second to load

    store = storage()
    if not isinstance(store, S3Storage):
        raise StorageError("a listener is led to a bucket that there isn't")
    longest = settings.REDIRECT_LIFETIME_SECONDS
    return await store.apresigned_get(
        file.storage_key,
        lifetime_seconds=longest // 2,  # the least it lasts: it is shared for as long again
        content_type=file.content_type,
        filename=file.filename,
        # Another version has another address.
        cache_control=f"private, max-age={longest}, immutable, no-transform",
    )

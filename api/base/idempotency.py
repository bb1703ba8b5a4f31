"""POSTs that may be sent twice: the same ``Idempotency-Key`` gets the same answer.

After draft-ietf-httpapi-idempotency-key-header-07. The change and the note of its answer are one
transaction, so that neither is there without the other. An attempt that was refused changed
nothing and is not kept: the key can be used again for it.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, cast

import msgspec
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Count, Sum
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.problems import ProblemError
from api.base.refusals import refusal_of
from api.base.rendering import to_json
from api.models import KeptAnswer
from apps.accounts.actors import Actor, name_of, person_of, token_of
from apps.core.clock import now
from apps.core.sealing import UnsealableError, seal, unseal

LIFETIME = timedelta(hours=24)
LONGEST_KEY = 255
# Of one person or organisation, whatever tokens they come with.
MOST_ANSWERS = 10_000
MOST_BYTES = 50 * 1024 * 1024
# Of an advisory lock: the number means nothing but must never change.
_LOCK = 0x49646B79
# What an answer says of its row and of itself; limits are those of the moment.
_HEADERS = ("Location", "ETag", "Cache-Control")

type Post = Callable[..., Response]


class _Kept(msgspec.Struct):
    headers: dict[str, str]
    body: Any  # what JSON can say


def once_per_key(post: Post) -> Post:
    """A view's ``post`` that honours the header, unless the view keeps no answers."""

    @wraps(post)
    def answer(view: Any, request: Request, *args: Any, **parts: Any) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None or not view.keeps_answers:
            return post(view, request, *args, **parts)
        if not 1 <= len(key) <= LONGEST_KEY:
            detail = f"An Idempotency-Key has 1 to {LONGEST_KEY} characters."
            raise ProblemError(400, "invalid_idempotency_key", detail)
        return _once(key, request, lambda: post(view, request, *args, **parts))

    return answer


def _once(key: str, request: Request, act: Callable[[], Response]) -> Response:
    owner = name_of(request.user)
    name = hashlib.sha256(f"{owner}\n{key}".encode()).digest()
    purpose = f"answer:{owner}:{key}"
    asked = _fingerprint(request)
    behind, is_kept = _behind(request.user), False
    try:
        with transaction.atomic():
            _hold(name)
            kept = KeptAnswer.objects.filter(pk=name, created_at__gt=now() - LIFETIME).first()
            if kept is not None:
                return _again(kept, asked, purpose)
            _require_room(behind)
            response = act()
            if response.status_code >= 400:
                transaction.set_rollback(True)
                return response
            _keep(name, asked, purpose, behind, response)
            is_kept = True
            return response
    except ValidationError as error:
        if not is_kept:
            raise
        # By what follows the commit, as a mail server does: the key can be used again.
        KeptAnswer.objects.filter(pk=name).delete()
        raise refusal_of(error) from error


def _behind(actor: Actor) -> bytes:
    """Who pays for what is kept: a new token is no new room."""
    person, token = person_of(actor), token_of(actor)
    if person is None and token is not None:
        return hashlib.sha256(f"Organization:{token.organization_id}".encode()).digest()
    return hashlib.sha256(f"User:{person.pk if person else None}".encode()).digest()


def _require_room(behind: bytes) -> None:
    """Two at once may go beyond it by one: a bound for the database, not for the client."""
    theirs = KeptAnswer.objects.filter(owner_sha256=behind, created_at__gt=now() - LIFETIME)
    found = theirs.aggregate(count=Count("pk"), size=Sum("size_bytes", default=0))
    if found["count"] >= MOST_ANSWERS or found["size"] >= MOST_BYTES:
        hours = LIFETIME // timedelta(hours=1)
        detail = (
            f"So many answers are kept for you that there is no room for another one until the "
            f"first is {hours} hours old. Without an Idempotency-Key the request is taken."
        )
        raise ProblemError(429, "too_many_keys", detail)


def _fingerprint(request: Request) -> bytes:
    """Of what is asked for: method, address and body, as it was parsed."""
    asked = {
        "method": request.method,
        "path": request.get_full_path(),
        "data": cast("Any", request.data),
    }
    return hashlib.sha256(to_json(asked)).digest()


def _hold(name: bytes) -> None:
    """Refuse a second request while the first one is being answered."""
    number = int.from_bytes(name[:4], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_LOCK, number])
        is_ours = bool(cursor.fetchone()[0])
    if not is_ours:
        raise ProblemError(
            409,
            "idempotency_key_in_use",
            "A request with this Idempotency-Key is being answered. Repeat it in a moment.",
        )


def _keep(name: bytes, asked: bytes, purpose: str, behind: bytes, response: Response) -> None:
    headers = {name: response[name] for name in _HEADERS if name in response}
    body = _without_secret(response.data)
    sealed = seal(to_json(_Kept(headers, body)), purpose=purpose)
    KeptAnswer.objects.update_or_create(
        pk=name,
        defaults={
            "request_sha256": asked,
            "owner_sha256": behind,
            "size_bytes": len(sealed),
            "status": response.status_code,
            "sealed": sealed,
            "created_at": now(),
        },
    )


def _without_secret(body: Any) -> Any:
    """What is shown once is not shown again.

    A repeated request is answered without asking the doors, so that it succeeds as it did: by then
    it may come from somebody who would not be given the secret any more.
    """
    if isinstance(body, dict) and "secret" in body:
        return {**body, "secret": None}
    return body


def _again(kept: KeptAnswer, asked: bytes, purpose: str) -> Response:
    if bytes(kept.request_sha256) != asked:
        raise ProblemError(
            422,
            "idempotency_key_reused",
            "This Idempotency-Key was used for another request. Use a new one.",
        )
    try:
        answer = msgspec.json.decode(unseal(bytes(kept.sealed), purpose=purpose), type=_Kept)
    except UnsealableError as error:
        raise ProblemError(
            409,
            "idempotency_key_expired",
            "This request was answered, but its answer can’t be read any more.",
        ) from error
    headers = answer.headers | {"Idempotency-Replayed": "true"}
    return Response(answer.body, status=kept.status, headers=headers)


def forget_old_answers() -> int:
    """Delete what nobody can ask for any more; returns how many there were."""
    deleted, _ = KeptAnswer.objects.filter(created_at__lt=now() - LIFETIME).delete()
    return deleted

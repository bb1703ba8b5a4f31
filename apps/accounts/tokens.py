"""API tokens: made, found by their secret, revoked, forgotten."""

import secrets
import string
import zlib
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.idp.oidc.models import Token as AppSecret
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet

from apps.accounts.actors import Actor, person_of, token_of
from apps.accounts.models import ApiToken, Membership, Organization, User
from apps.accounts.rechecks import recheck_token
from apps.accounts.roles import TOKEN_ROLES, Role
from apps.accounts.scopes import Scope
from apps.core.clock import now
from apps.core.hashing import sha256_of_bytes

# What secrets begin with, so that scanners of published code know them; the last six characters
# are a checksum of the others, so that they report no false ones.
SECRET_PREFIX = "lw_"  # noqa: S105
_ALPHABET = string.digits + string.ascii_letters
_RANDOM_CHARS = 43  # of 62 kinds: 256 bits
_CHECKSUM_CHARS = 6  # of 62 kinds: the 32 bits of a CRC
_SHOWN_CHARS = 8

DEFAULT_LIFETIME = timedelta(days=365)
MAX_TOKENS = 100  # usable ones, of one person or one organisation
# How long lists show what works no more.
KEPT_FOR = timedelta(days=90)
_NOTED_EVERY = timedelta(minutes=1)


class TokenRefusedError(Exception):
    """A secret that opens nothing (any more); ``code`` is the API's."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@transaction.atomic
def create_token(
    *,
    user: User,
    name: str,
    scopes: Collection[Scope],
    show_id: UUID | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """A person's token and its secret, which is told this once.

    The caller has asked ``podcasts.access`` whether the show may be seen. Raises ValidationError.
    """
    # Two made at once must not both be the last that is allowed.
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    return _create(
        tokens_of_person(user),
        user=user,
        created_by=user,
        name=name,
        scopes=scopes,
        show_id=show_id,
        expires_at=expires_at,
    )


@transaction.atomic
def create_organization_token(
    *,
    actor: Membership,
    role: Role,
    name: str,
    scopes: Collection[Scope],
    show_id: UUID | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """As :func:`create_token`, for the organisation that the actor was let into as an admin."""
    if role not in TOKEN_ROLES or not Role(actor.role).includes(role):
        raise ValidationError(
            {"role": ValidationError("A token can’t have this role.", code="too_strong")}
        )
    Organization.objects.select_for_update(no_key=True).get(pk=actor.organization_id)
    return _create(
        tokens_of_organization(actor.organization),
        organization=actor.organization,
        role=role,
        created_by_id=actor.user_id,
        name=name,
        scopes=scopes,
        show_id=show_id,
        expires_at=expires_at,
    )


def _create(
    siblings: QuerySet[ApiToken],
    *,
    scopes: Collection[Scope],
    expires_at: datetime | None,
    **fields: Any,
) -> tuple[ApiToken, str]:
    """One of these; whoever has them is locked."""
    at = now()
    if expires_at is not None and expires_at <= at:
        error = ValidationError("A token can’t expire before it is made.", code="in_the_past")
        raise ValidationError({"expires_at": error})
    if siblings.filter(_usable_condition(at)).count() >= MAX_TOKENS:
        raise ValidationError(
            f"There are {MAX_TOKENS} tokens already: revoke some that are not in use.",
            code="limit_reached",
        )
    secret = new_secret()
    token = ApiToken(
        scopes=[scope for scope in Scope.values if scope in scopes],
        expires_at=expires_at,
        prefix=secret[:_SHOWN_CHARS],
        secret_sha256=digest_of(secret),
        **fields,
    )
    token.clean_fields(exclude=["user", "organization", "created_by"])
    token.save(force_insert=True)
    return token, secret


def new_secret() -> str:
    """``lw_``, 43 random characters, and the CRC-32 of both in six."""
    begin = SECRET_PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARS))
    return begin + _checksum(begin)


def is_well_formed(secret: str) -> bool:
    """Whether this can be a secret of ours: a mistyped one is known without a query."""
    begin, checksum = secret[:-_CHECKSUM_CHARS], secret[-_CHECKSUM_CHARS:]
    has_length = len(secret) == len(SECRET_PREFIX) + _RANDOM_CHARS + _CHECKSUM_CHARS
    return has_length and begin.startswith(SECRET_PREFIX) and checksum == _checksum(begin)


def _checksum(text: str) -> str:
    rest, found = zlib.crc32(text.encode()), ""
    for _ in range(_CHECKSUM_CHARS):
        rest, digit = divmod(rest, len(_ALPHABET))
        found = _ALPHABET[digit] + found
    return found


def digest_of(secret: str) -> str:
    """What is stored of a secret."""
    return sha256_of_bytes(secret.encode())


def find_token(secret: str) -> ApiToken:
    """The usable token with this secret, its person or organisation included.

    Raises TokenRefusedError.
    """
    if not is_well_formed(secret):
        raise unknown_token()
    return token_with_digest(digest_of(secret))


def token_with_digest(digest: str) -> ApiToken:
    """As :func:`find_token`, by the secret's SHA-256."""
    token = with_bearer().filter(secret_sha256=digest).first()
    if token is None:
        raise unknown_token()
    return usable(token)


def with_bearer() -> QuerySet[ApiToken]:
    """Tokens with the person or organisation that they belong to."""
    return ApiToken.objects.select_related("user", "organization")


def usable(token: ApiToken) -> ApiToken:
    """The same, or the TokenRefusedError that says why it opens nothing."""
    if token.revoked_at is not None:
        raise TokenRefusedError("token_revoked", "This token was revoked.")
    if not token.is_usable(now()):
        raise expired_token()
    if token.user is not None and not token.user.is_active:
        raise TokenRefusedError("account_inactive", "The account of this token is closed.")
    return token


def unknown_token() -> TokenRefusedError:
    """For what nobody was given."""
    return TokenRefusedError("invalid_token", "This is not a token that is known here.")


def expired_token() -> TokenRefusedError:
    """For what has had its time."""
    return TokenRefusedError("token_expired", "This token has expired: make a new one.")


def note_use(token: ApiToken) -> None:
    """Remember that it was used, to the minute.

    A row that somebody else is writing is left to them: no request waits for this.
    """
    at = now()
    if token.last_used_at is not None and at - token.last_used_at < _NOTED_EVERY:
        return
    mine = ApiToken.objects.filter(pk=token.pk).select_for_update(skip_locked=True)
    with transaction.atomic():
        ApiToken.objects.filter(pk__in=mine.values("pk")).update(last_used_at=at)


def revoke_token(*, token: ApiToken) -> None:
    """Let it open nothing any more; what it has open ends at once. Twice is no error.

    An app loses its own secrets as well, those by which it gets new ones included.
    """
    with transaction.atomic():
        # The token first, as whoever looks at its entity tag, or refreshes its secrets
        # (`bearers.while_not_ended`), has locked it before.
        ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now())
        if token.client_id is not None:
            AppSecret.objects.filter(user=token.user_id, client=token.client_id).delete()
        recheck_token(token.pk)


def tokens_of_person(user: User) -> QuerySet[ApiToken]:
    """A person's own tokens, newest first; those that work no more included."""
    return ApiToken.objects.filter(user=user).order_by("-id")


def own_tokens(actor: Actor) -> QuerySet[ApiToken]:
    """What an actor may know of and revoke without a role: a person's own; a token, itself."""
    token, person = token_of(actor), person_of(actor)
    if token is not None:
        return ApiToken.objects.filter(pk=token.pk)
    return tokens_of_person(person) if person is not None else ApiToken.objects.none()


def tokens_of_organization(organization: Organization) -> QuerySet[ApiToken]:
    """The tokens of an organisation that the caller was let into as an admin, newest first."""
    tokens = ApiToken.objects.filter(organization=organization)
    return tokens.select_related("created_by").order_by("-id")


def _usable_condition(at: datetime) -> Q:
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=at))


def forget_old_tokens() -> int:
    """Delete those that have not worked for long, and say how many there were."""
    AppSecret.objects.expired().delete()
    long_ago = now() - KEPT_FOR
    over = Q(revoked_at__lt=long_ago) | Q(expires_at__lt=long_ago)
    _, counts = ApiToken.objects.filter(over).delete()
    return counts.get(ApiToken._meta.label, 0)

"""Who shows a secret: a token made here, or an app that a person lets work for them (OAuth 2).

allauth hands secrets to apps and forgets what was agreed to; an ``ApiToken`` remembers it, one for
each person and app, made when the app comes for the first time.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from allauth.idp.oidc.models import Token as AppSecret
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.db.models import QuerySet

from apps.accounts.actors import TokenActor
from apps.accounts.models import ApiToken
from apps.accounts.rechecks import recheck_token
from apps.accounts.scopes import Scope
from apps.accounts.tokens import (
    SECRET_PREFIX,
    digest_of,
    expired_token,
    find_token,
    new_secret,
    revoke_token,
    token_with_digest,
    unknown_token,
    usable,
    with_bearer,
)
from apps.core.clock import now


def find_actor(secret: str) -> TokenActor:
    """The actor that shows this secret; raises TokenRefusedError."""
    if secret.startswith(SECRET_PREFIX):
        return TokenActor(find_token(secret))
    return _app(digest_of(secret))


def actor_again(actor: TokenActor) -> TokenActor:
    """As it stands by now, for what began a while ago; raises TokenRefusedError."""
    if actor.token.client_id is not None:
        return _app(actor.digest)
    return TokenActor(token_with_digest(actor.digest))


def _app(digest: str) -> TokenActor:
    found = (
        AppSecret.objects.filter(type=AppSecret.Type.ACCESS_TOKEN, hash=digest)
        .exclude(user=None)
        .select_related("client")
        .first()
    )
    if found is None:
        raise unknown_token()
    if found.expires_at is not None and found.expires_at <= now():
        raise expired_token()
    scopes = [scope for scope in Scope.values if scope in found.get_scopes()]
    if not scopes:
        raise unknown_token()
    return TokenActor(usable(_agreement(found, scopes)), digest=digest, scopes=scopes)


def _agreement(secret: AppSecret, scopes: list[str]) -> ApiToken:
    """What the person agreed to, with the scopes of the secret that the app got last."""
    open_ones = with_bearer().filter(user=secret.user_id, client=secret.client_id, revoked_at=None)
    agreed = open_ones.first() or _new_agreement(secret, scopes)
    if agreed.scopes != scopes and _is_newest(secret):
        agreed.scopes = scopes
        agreed.save(update_fields=["scopes"])
    return agreed


def _is_newest(secret: AppSecret) -> bool:
    """Of those that the app got from this person and may still show."""
    newer = AppSecret.objects.filter(
        type=secret.type,
        client=secret.client_id,
        user=secret.user_id,
        created_at__gt=secret.created_at,
    )
    return not newer.exists()


@transaction.atomic
def _new_agreement(secret: AppSecret, scopes: list[str]) -> ApiToken:
    # An app that is ended at this moment doesn't come back: then its secrets are gone.
    try:
        AppSecret.objects.select_for_update().get(pk=secret.pk)
    except ObjectDoesNotExist:
        raise unknown_token() from None
    agreed, _ = with_bearer().get_or_create(
        user_id=secret.user_id,
        client_id=secret.client_id,
        revoked_at=None,
        defaults={
            "name": secret.client.name,
            "scopes": scopes,
            "created_by_id": secret.user_id,
            # Nobody knows it: the app shows secrets of its own.
            "secret_sha256": digest_of(new_secret()),
        },
    )
    return agreed


def refresh_secret(secret: str) -> AppSecret | None:
    """What is known of a refresh token that an app shows; None when it is none."""
    found: AppSecret | None = AppSecret.objects.lookup(AppSecret.Type.REFRESH_TOKEN, secret)
    return found if found is not None and found.user_id is not None else None


@contextmanager
def while_not_ended(secret: str) -> Iterator[None]:
    """A transaction in which an app gets new secrets for this refresh token.

    Whoever ends the app waits for it and then finds the new ones as well; the app waits for
    whoever ends it and then shows a refresh token that is gone.
    """
    with transaction.atomic():
        found = refresh_secret(secret)
        if found is not None:
            # In the order of `revoke_token`: first what was agreed to, then the secrets.
            list(_open_agreements(found))
            AppSecret.objects.select_for_update().filter(pk=found.pk).first()
        yield


@transaction.atomic
def end_access(refresh: AppSecret) -> None:
    """After an app gave up this refresh token: what was made from it opens nothing any more.

    Nothing changes while the refresh token is still there. Access tokens don't say from which
    one they were made, so all that the app has for this person go; where it has other refresh
    tokens it gets new ones. Without any, what was agreed to is over as well.
    """
    if AppSecret.objects.filter(pk=refresh.pk).exists():
        return
    agreements = list(_open_agreements(refresh))
    of_app = AppSecret.objects.filter(user=refresh.user_id, client=refresh.client_id)
    of_app.filter(type=AppSecret.Type.ACCESS_TOKEN).delete()
    has_others = of_app.valid().filter(type=AppSecret.Type.REFRESH_TOKEN).exists()
    for agreed in agreements:
        if has_others:
            recheck_token(agreed.pk)
        else:
            revoke_token(token=agreed)


def _open_agreements(secret: AppSecret) -> QuerySet[ApiToken]:
    """What this secret's person agreed to with its app, locked; one, or none yet."""
    mine = ApiToken.objects.filter(user=secret.user_id, client=secret.client_id, revoked_at=None)
    return mine.select_for_update()

"""Who shows a secret: a token made here, or an app that a person lets work for them (OAuth 2).

allauth hands secrets to apps and forgets what was agreed to; an ``ApiToken`` remembers it, one for
each person and app, made when the app comes for the first time.
"""

from allauth.idp.oidc.models import Token as AppSecret
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction

from apps.accounts.actors import TokenActor
from apps.accounts.models import ApiToken
from apps.accounts.scopes import Scope
from apps.accounts.tokens import (
    SECRET_PREFIX,
    digest_of,
    expired_token,
    find_token,
    new_secret,
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

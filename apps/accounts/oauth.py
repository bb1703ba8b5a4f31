"""Apps of others, which people let work for them by OAuth 2: who they are, and how we call us."""

from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from allauth.idp.oidc.models import Client
from django.conf import settings
from django.core.exceptions import ValidationError

from apps.accounts.scopes import MEANINGS, Scope

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class OAuthAdapter(DefaultOIDCAdapter):  # type: ignore[misc]
    """Longwave's words for what apps ask for."""

    scope_display = {scope.value: f"{scope.label}: {text}" for scope, text in MEANINGS.items()}

    def get_issuer(self) -> str:
        """The configured origin: allauth's would be what the Host header says."""
        return settings.BASE_URL


def register_app(*, name: str, redirect_uris: Iterable[str], scopes: Iterable[Scope]) -> Client:
    """An app that may ask people to let it work for them.

    It has no secret, as one that is installed on devices couldn't keep it, and proves by PKCE that
    it is the one that asked. Raises ValidationError.
    """
    uris = list(redirect_uris)
    for uri in uris:
        _refuse_unsafe(uri)
    client = Client(
        name=name,
        type=Client.Type.PUBLIC,
        redirect_uris="\n".join(uris),
        scopes="\n".join(scopes),
        grant_types="\n".join(
            [Client.GrantType.AUTHORIZATION_CODE, Client.GrantType.REFRESH_TOKEN]
        ),
    )
    client.set_secret(Client._meta.get_field("secret").get_default())
    client.full_clean()
    client.save(force_insert=True)
    return client


def _refuse_unsafe(uri: str) -> None:
    """RFC 9700, 2.1 and RFC 8252, 7: https, an app's own scheme, or this very device."""
    parts = urlsplit(uri)
    is_web = parts.scheme in ("http", "https")
    is_own_scheme = "." in parts.scheme  # RFC 8252, 7.1: a domain name turned around
    is_safe = (parts.scheme == "https" and bool(parts.hostname) if is_web else is_own_scheme) or (
        parts.scheme == "http" and parts.hostname in _LOOPBACK
    )
    if not is_safe or parts.fragment or "*" in uri:
        raise ValidationError(
            f"{uri} can’t be led back to: https://, a scheme such as com.example.app:, or "
            "http://localhost, without a #.",
            code="unsafe_redirect",
        )


def places_of(client: Client) -> list[str]:
    """Where an app is led back to, as sources of a Content-Security-Policy."""
    return [_place(urlsplit(uri)) for uri in client.get_redirect_uris()]


def _place(parts: SplitResult) -> str:
    if parts.scheme not in ("http", "https"):
        return f"{parts.scheme}:"
    if ":" in (parts.hostname or ""):
        # CSP 3, 2.3.1 has no words for an IPv6 address: browsers would stop what leads there.
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://*{port}"
    return f"{parts.scheme}://{parts.netloc}"

"""What the settings say about bucket and CDN, and what is wrong with them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.signals import setting_changed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_KEY_BITS = 2048  # CloudFront takes no other RSA keys
_SHORTEST_SECRET = 16


class CdnWay(Enum):
    """How CloudFront lets listeners in."""

    SIGNED = "signed"  # it reads the bucket; every address is signed and expires
    PUBLIC = "public"  # it reads this server, to which it proves itself with a secret


@dataclass(frozen=True, slots=True)
class Cdn:
    """A CloudFront distribution that can be used, and how."""

    domain: str
    way: CdnWay
    key_pair_id: str = ""
    private_key: "RSAPrivateKey | None" = None
    origin_secrets: tuple[str, ...] = ()


class _UnusableError(Exception):
    """The settings name a CDN that can't be used; the message is for the operator."""


def has_bucket() -> bool:
    """Whether files are in a bucket, which can send them by itself."""
    return bool(settings.S3_BUCKET)


@cache
def cdn() -> Cdn | None:
    """The distribution that the settings name; None without one, or when they don't suffice."""
    try:
        return _cdn()
    except _UnusableError:
        return None


@cache
def proxy_secrets() -> tuple[str, ...]:
    """By which a CloudFront that keeps nothing is known; none when they are not safe to believe."""
    return () if proxy_problem() else tuple(settings.CDN_PROXY_SECRETS)


def proxy_problem() -> str:
    """What keeps such a CloudFront from being believed; empty when nothing does."""
    if _is_guessed(settings.CDN_PROXY_SECRETS):
        return _too_short("LONGWAVE_CDN_PROXY_SECRET")
    if set(settings.CDN_PROXY_SECRETS) & set(settings.CDN_ORIGIN_SECRETS):
        return (
            "LONGWAVE_CDN_PROXY_SECRET and LONGWAVE_CDN_ORIGIN_SECRET are the same: a CDN that "
            "keeps files and one that only passes requests on can't be told apart."
        )
    return ""


def cdn_problem() -> str:
    """What keeps the CDN that the settings name from being used; empty when nothing does."""
    try:
        _cdn()
    except _UnusableError as problem:
        return str(problem)
    return ""


def _cdn() -> Cdn | None:
    is_signed = bool(settings.CDN_KEY_PAIR_ID or _has_private_key())
    if not settings.CDN_DOMAIN:
        if is_signed or settings.CDN_ORIGIN_SECRETS:
            raise _UnusableError("LONGWAVE_CDN_DOMAIN does not say which host the CDN answers at.")
        return None
    if "/" in settings.CDN_DOMAIN or ":" in settings.CDN_DOMAIN:
        raise _UnusableError("LONGWAVE_CDN_DOMAIN is a host name, without https:// or a path.")
    return _signed() if is_signed else _public()


def _signed() -> Cdn:
    if not has_bucket():
        raise _UnusableError("Signed CDN addresses lead to a bucket, and S3_BUCKET names none.")
    if not (settings.CDN_KEY_PAIR_ID and _has_private_key()):
        raise _UnusableError(
            "Signed CDN addresses need both LONGWAVE_CDN_KEY_PAIR_ID and the private key."
        )
    return Cdn(
        domain=settings.CDN_DOMAIN,
        way=CdnWay.SIGNED,
        key_pair_id=settings.CDN_KEY_PAIR_ID,
        private_key=_private_key(),
    )


def _public() -> Cdn:
    secrets = tuple(settings.CDN_ORIGIN_SECRETS)
    if not secrets:
        raise _UnusableError(
            "The CDN needs a key pair, or LONGWAVE_CDN_ORIGIN_SECRET when it reads this server."
        )
    if _is_guessed(secrets):
        raise _UnusableError(_too_short("LONGWAVE_CDN_ORIGIN_SECRET"))
    return Cdn(domain=settings.CDN_DOMAIN, way=CdnWay.PUBLIC, origin_secrets=secrets)


def _is_guessed(secrets: Iterable[str]) -> bool:
    return any(len(secret) < _SHORTEST_SECRET for secret in secrets)


def _too_short(variable: str) -> str:
    return f"{variable} is too easy to guess: at least {_SHORTEST_SECRET} characters are needed."


def _has_private_key() -> bool:
    return bool(settings.CDN_PRIVATE_KEY or settings.CDN_PRIVATE_KEY_FILE)


def _private_key() -> "RSAPrivateKey":
    # Only who signs pays for loading this: it takes a tenth of a second.
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        # In a file of environment variables a line break is often written as \n.
        text = settings.CDN_PRIVATE_KEY.replace("\\n", "\n") or Path(
            settings.CDN_PRIVATE_KEY_FILE
        ).read_text(encoding="ascii")
        key = load_pem_private_key(text.encode("ascii"), password=None)
    except OSError as error:
        raise _UnusableError(f"The CDN's private key can't be read: {error.strerror}.") from error
    except (ValueError, TypeError) as error:
        raise _UnusableError("The CDN's private key is no PEM without a password.") from error
    if not isinstance(key, RSAPrivateKey) or key.key_size != _KEY_BITS:
        raise _UnusableError(f"The CDN's private key must be an RSA key of {_KEY_BITS} bits.")
    return key


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting.startswith("CDN_") or setting == "S3_BUCKET":
        cdn.cache_clear()
        proxy_secrets.cache_clear()


setting_changed.connect(_forget)

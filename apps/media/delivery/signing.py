"""CloudFront's signed addresses: a canned policy, signed with RSA, in the query."""

from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA1
from django.conf import settings
from django.core.signals import setting_changed

from apps.media.delivery.configuration import cdn
from apps.media.delivery.decision import PURPOSE
from apps.media.delivery.shared_addresses import SharedAddresses


async def signed_address(key: str, *, purpose: str) -> str:
    """Where CloudFront sends the stored object of this key from, for a while.

    The purpose stands in the signed query, and so in the log. The cache policy keeps it out of
    the key of the cache: one copy serves all purposes.
    """
    return await _addresses().find((key, purpose))


def sign(address: str, *, expires_at: int, key_pair_id: str, key: RSAPrivateKey) -> str:
    """The address with a signature that is good until this second of Unix time."""
    from botocore.signers import CloudFrontSigner  # takes a third of a second to load

    # CloudFront verifies RSA with SHA-1 and PKCS #1 v1.5 padding, and nothing else.
    signer = CloudFrontSigner(
        key_pair_id,
        lambda policy: key.sign(policy, PKCS1v15(), SHA1()),  # noqa: S303
    )
    moment = datetime.fromtimestamp(expires_at, UTC)
    return str(signer.generate_presigned_url(address, date_less_than=moment))


@cache
def _addresses() -> SharedAddresses[tuple[str, str]]:
    found = cdn()
    if found is None or found.private_key is None:
        raise RuntimeError("addresses can't be signed: this installation has no key for its CDN")
    domain, key_pair_id, private_key = found.domain, found.key_pair_id, found.private_key

    def sign_key(target: tuple[str, str], expires_at: int) -> str:
        key, purpose = target
        address = f"https://{domain}/{quote(key)}?{urlencode({PURPOSE: purpose})}"
        return sign(address, expires_at=expires_at, key_pair_id=key_pair_id, key=private_key)

    lifetime = settings.CDN_LIFETIME_SECONDS
    return SharedAddresses(sign_key, lifetime_seconds=lifetime, shared_seconds=lifetime // 2)


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting.startswith("CDN_") or setting == "S3_BUCKET":
        _addresses.cache_clear()


setting_changed.connect(_forget)

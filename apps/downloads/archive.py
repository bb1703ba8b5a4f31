"""The hits of open days, kept to count a day again: packed, and sealed with the day's key.

AES-256-GCM under a key derived from the day's: when that is destroyed, nobody can read the
addresses any more, wherever copies of these rows are.
"""

import hmac
import secrets
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from apps.downloads import beside
from apps.downloads.models import HitBatch

_NONCE_BYTES = 12
# The fastest that zlib has: a fifth of the size for a few microseconds a hit.
_LEVEL = 1

_KEEP = """
INSERT INTO downloads_hitbatch (day, id, hits, sealed, is_from_log)
VALUES (%s, nextval('downloads_hitbatch_id_seq'), %s, %b, %s)
"""


class UnreadableError(Exception):
    """A batch that this key does not open."""


def keep(
    messages: Iterable[tuple[date, bytes]], keys: Mapping[date, bytes], *, is_from_log: bool
) -> None:
    """Store these messages, each with its day; those of days without a key are left out."""
    by_day: defaultdict[date, list[bytes]] = defaultdict(list)
    for day, message in messages:
        by_day[day].append(message)
    for day in sorted(by_day.keys() & keys.keys()):
        sealed = _seal(keys[day], by_day[day])
        beside.execute(_KEEP, [day, len(by_day[day]), sealed, is_from_log])


def read(day: date, key: bytes, *, after: int = 0) -> Iterator[tuple[HitBatch, list[bytes]]]:
    """The batches of a day in the order they were stored, one in memory at a time.

    Raises UnreadableError for one that was sealed with another key.
    """
    while True:
        row = HitBatch.objects.filter(day=day, id__gt=after).order_by("id").first()
        if row is None:
            return
        yield row, _open(key, bytes(row.sealed))
        after = row.id


def _seal(key: bytes, messages: list[bytes]) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    packed = zlib.compress(b"\n".join(messages), _LEVEL)
    return nonce + _cipher(key).encrypt(nonce, packed, None)


def _open(key: bytes, sealed: bytes) -> list[bytes]:
    nonce, packed = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return zlib.decompress(_cipher(key).decrypt(nonce, packed, None)).split(b"\n")
    except InvalidTag as error:
        raise UnreadableError("this batch was sealed with another key") from error


def _cipher(key: bytes) -> AESGCM:
    return AESGCM(hmac.digest(key, b"archive of hits", "sha256"))

"""How much of the hits on this disk is not in the stream yet, whoever wrote it and lives or not."""

from pathlib import Path
from typing import cast

import redis
from django.conf import settings

from apps.core import valkey
from apps.downloads import journal, shipping


def spooled_bytes() -> int:
    """Of all journals in this installation's folder; raises redis.RedisError or OSError.

    For a moment some kilobytes are normal: hits are shipped ten times a second.
    """
    return _left(valkey.connection(), settings.SPOOL_ROOT)


def _left(client: redis.Redis, folder: Path) -> int:
    # Sizes come first: what is written or shipped meanwhile is never taken for less than nothing.
    sizes = {path: size for path in journal.paths(folder) if (size := _size(path))}
    if not sizes:
        return 0
    keys = [shipping.progress_key(path.name) for path in sizes]
    shipped = cast("list[bytes | None]", client.mget(keys))
    return sum(
        max(0, size - int(done or 0))
        for (path, size), done in zip(sizes.items(), shipped, strict=True)
        # What is shipped is removed first, and then forgotten.
        if done is not None or path.exists()
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0

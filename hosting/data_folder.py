"""What settings read from the data folder when the environment does not say it."""

import json
import secrets
from collections.abc import Callable
from functools import wraps
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def _readable[T](read: Callable[[Path], T]) -> Callable[[Path], T]:
    """The same, but a folder that can't be used is named instead of shown as a traceback."""

    @wraps(read)
    def read_or_explain(data: Path) -> T:
        try:
            return read(data)
        except OSError as error:
            reason = error.strerror or str(error)
            message = f"The data folder {data} can't be used: {reason}."
            raise ImproperlyConfigured(message) from error

    return read_or_explain


@_readable
def secret_key(data: Path) -> str:
    """The installation's secret key: made on first use, kept in ``secret_key`` with mode 600."""
    path = data / "secret_key"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    data.mkdir(parents=True, exist_ok=True)
    fresh = secrets.token_urlsafe(64)
    draft = data / f".secret_key.{secrets.token_hex(4)}"
    draft.touch(mode=0o600)
    draft.write_text(fresh)
    try:
        path.hardlink_to(draft)  # fails when another process was first: then its key is the key
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text().strip()


@_readable
def engine_urls(data: Path) -> dict[str, str]:
    """Addresses of the embedded engines that run on this data folder; empty when none does."""
    try:
        urls: dict[str, str] = json.loads((data / "engines.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return urls

"""What settings read from the data folder when the environment does not say it."""

import json
import secrets
from pathlib import Path


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


def engine_urls(data: Path) -> dict[str, str]:
    """Addresses of the embedded engines that run on this data folder; empty when none does."""
    try:
        urls: dict[str, str] = json.loads((data / "engines.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return urls

"""The file of an update: replaced as a whole, with the one before it kept."""

import json
import os
import tempfile
from pathlib import Path

from apps.downloads.user_agents.entries import Lists, to_document


def previous_file(target: Path) -> Path:
    """Where the lists go that an update replaces."""
    return target.with_name(f"{target.stem}.previous{target.suffix}")


def write_lists(target: Path, lists: Lists, *, source: str, updated_at: str) -> None:
    """Put the lists in place of what is there, at once and for good; raises OSError."""
    text = json.dumps(
        to_document(lists, source=source, updated_at=updated_at), ensure_ascii=False, indent=1
    )
    if target.exists():
        _write(previous_file(target), target.read_bytes())
    _write(target, text.encode())


def remove_lists(target: Path) -> bool:
    """Take them out of force and keep them as the previous ones; whether there were any."""
    if not target.exists():
        return False
    target.replace(previous_file(target))
    return True


def _write(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # the counter may run as somebody else
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise

"""Where things lie in a data folder, and how private files are written there."""

import contextlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DataFolder:
    root: Path

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def urls(self) -> Path:
        """Addresses of the running engines: there while they run, gone after a clean stop."""
        return self.root / "engines.json"

    @property
    def passwords(self) -> Path:
        return self.root / "passwords.json"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        return self.root / "valkey"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def static(self) -> Path:
        return self.root / "static"

    @property
    def demo(self) -> Path:
        """Who may sign in to the demo, and where to look: written when it is seeded."""
        return self.root / "demo.json"

    @property
    def children(self) -> Path:
        """Which processes the running instance has started."""
        return self.root / "children.json"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    @property
    def private(self) -> list[Path]:
        """What holds mails, addresses of listeners, drafts and logs: for nobody else to read."""
        return [self.logs, *(self.root / name for name in ("mail", "media", "scratch", "spool"))]

    def create(self) -> None:
        """The folder, which PostgreSQL's own account may pass through, and the private ones in it.

        Those that were made with other modes are closed; one that is somebody else's stays theirs.
        """
        self.root.mkdir(mode=0o711, parents=True, exist_ok=True)
        for folder in self.private:
            folder.mkdir(mode=0o700, exist_ok=True)
            with contextlib.suppress(PermissionError):
                folder.chmod(0o700)


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner alone."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def load_passwords(path: Path, names: tuple[str, ...]) -> tuple[dict[str, str], bool]:
    """The folder's passwords, and whether any had to be made (then the engines must be told)."""
    try:
        known: dict[str, str] = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        known = {}
    missing = [name for name in names if name not in known]
    if missing:
        known |= {name: secrets.token_urlsafe(24) for name in missing}
        write_private(path, json.dumps(known))
    return known, bool(missing)

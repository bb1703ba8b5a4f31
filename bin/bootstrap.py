"""Make the project's virtual environment hold exactly what a lock file pins: .venv, or the bench's.

Needs nothing but Python. Two of them in one clone take turns; a half-made environment is noticed.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


class Environment:
    """One virtual environment, and the stamp in it that says which locks it satisfies."""

    def __init__(self, project: Path, folder: str = ".venv") -> None:
        self.folder = project / folder
        self.python = self.folder / "bin" / "python"
        self.stamp = self.folder / "locks.json"
        names = ("runtime", "dev", "bench")
        self.locks = {name: project / "requirements" / f"{name}.txt" for name in names}

    def satisfies(self, name: str) -> bool:
        """The lock of development holds the one of run time, so it satisfies both."""
        stamped = self._stamped()
        names = {name, "dev"}
        return os.access(self.python, os.X_OK) and any(
            stamped.get(known) == self._digest(known) for known in names
        )

    def install(self, name: str) -> None:
        if not self._works():
            shutil.rmtree(self.folder, ignore_errors=True)
            say(f"Making {self.folder.name} with Python {sys.version.split()[0]}.")
            # A Python that was moved finds its library beside itself, not beside a link to itself.
            run([os.path.realpath(sys.executable), "-m", "venv", str(self.folder)])
        self._forget_half_installed()
        stamped = self._stamped()
        self.stamp.unlink(missing_ok=True)
        say(
            f"Installing {self.locks[name].name} into {self.folder.name} "
            "(about a minute the first time)."
        )
        self._install_pinned(self.locks[name])
        still_true = {known: digest for known, digest in stamped.items() if name == "dev"}
        self.stamp.write_text(json.dumps({**still_true, name: self._digest(name)}))

    def _install_pinned(self, lock: Path) -> None:
        uv = shutil.which("uv")
        if uv:
            installer = [uv, "pip", "install", "--python", str(self.python)]
        else:
            installer = [str(self.python), "-m", "pip", "install"]
            installer += ["--no-deps", "--disable-pip-version-check"]
        run([*installer, "--quiet", "--require-hashes", "--requirement", str(lock)])

    def _works(self) -> bool:
        """Whether its Python starts, is new enough, its own (not the system's), and can install."""
        probe = (
            "import sys, pip\nsys.exit(sys.version_info < (3, 12) or sys.prefix == sys.base_prefix)"
        )
        command = [str(self.python), "-c", probe]
        try:
            done = subprocess.run(command, check=False, capture_output=True)  # noqa: S603
        except OSError:
            return False
        return done.returncode == 0

    def _forget_half_installed(self) -> None:
        """An installer that was killed leaves metadata without RECORD, which looks installed."""
        for metadata in self.folder.glob("lib/python*/site-packages/*.dist-info"):
            if not (metadata / "RECORD").exists():
                shutil.rmtree(metadata)

    def _stamped(self) -> dict[str, str]:
        try:
            stamped: dict[str, str] = json.loads(self.stamp.read_text())
        except (OSError, json.JSONDecodeError):
            return {}
        return stamped

    def _digest(self, name: str) -> str:
        """Of the lock and of the Python the environment was made with."""
        made_with = self.folder / "pyvenv.cfg"
        version = made_with.read_bytes() if made_with.exists() else b""
        return hashlib.sha256(version + self.locks[name].read_bytes()).hexdigest()


@contextlib.contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Hold the clone's folder locked: the lock goes with the process, so it is never stale."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another make is preparing .venv: waiting for it.")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def run(command: list[str]) -> None:
    done = subprocess.run(command, check=False)  # noqa: S603 -- commands written above
    if done.returncode != 0:
        sys.exit(f"Failed: {' '.join(command)}")


def say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


def main(name: str) -> None:
    # The peer that the bench installs asks for other versions than we do.
    environment = Environment(PROJECT, ".venv-bench" if name == "bench" else ".venv")
    if environment.satisfies(name):
        return
    with turn(PROJECT):
        if not environment.satisfies(name):
            environment.install(name)


if __name__ == "__main__":
    main(sys.argv[1])

"""Pin what pyproject.toml asks for in requirements/, and tell whether the pins are still its own.

``write`` resolves with uv; ``check`` needs no network: a lock records a digest of what was asked.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
LOCKS = {
    "runtime": ["pyproject.toml"],
    # The tools may not change what runs.
    "dev": ["--group", "dev", "--constraint", "requirements/runtime.txt", "pyproject.toml"],
    "bench": ["--group", "bench"],  # a peer in an environment of its own
}
OLDEST_PYTHON = "3.12"


def main(action: str) -> None:
    if action == "check":
        stale = [name for name in LOCKS if header() != first_line(lock(name))]
        if stale:
            sys.exit(f"pyproject.toml has changed since {', '.join(stale)} was locked: make lock")
        return
    with tempfile.TemporaryDirectory() as folder:
        uv = shutil.which("uv") or install_uv(Path(folder))
        for name, options in LOCKS.items():
            write(uv, name, options)


def write(uv: str, name: str, options: list[str]) -> None:
    """``--universal``: one lock for every system and every Python we support."""
    command = [uv, "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--upgrade"]
    command += ["--python-version", OLDEST_PYTHON, "--no-annotate", "--no-header", *options]
    done = subprocess.run(command, cwd=PROJECT, check=False, stdout=subprocess.PIPE, text=True)  # noqa: S603
    if done.returncode != 0:
        sys.exit(done.returncode)
    lock(name).write_text(f"{header()}\n{done.stdout}")


def install_uv(folder: Path) -> str:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), "uv"]
    subprocess.run(command, check=True)  # noqa: S603
    return str(folder / "bin" / "uv")


def header() -> str:
    """Tells for which wishes a lock was made: for all locks the same, so they stay together."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    asked = {
        "python": project["project"]["requires-python"],
        "runtime": sorted(project["project"]["dependencies"]),
        **{name: sorted(asked) for name, asked in project["dependency-groups"].items()},
    }
    digest = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
    return f"# Written by `make lock` for the wishes in pyproject.toml with digest {digest}"


def first_line(path: Path) -> str:
    with path.open() as file:
        return file.readline().rstrip("\n")


def lock(name: str) -> Path:
    return PROJECT / "requirements" / f"{name}.txt"


if __name__ == "__main__":
    main(sys.argv[1])

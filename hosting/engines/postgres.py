"""An embedded PostgreSQL: one cluster in the data folder, one database, one plain role."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from hosting.engines.accounts import (
    identity,
    let_in,
    reachable_binaries,
    reachable_cluster,
    unprivileged_account,
)
from hosting.engines.binaries import postgres_bin
from hosting.engines.engine import Engine
from hosting.engines.errors import InstanceError
from hosting.engines.processes import end, find_ours

ROLE = "longwave"
SUPERUSER = "postgres"
_READY_LINE = 7  # of postmaster.pid, see src/include/utils/pidfile.h
_THROWAWAY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class Postgres(Engine):
    name = "postgres"
    # Fast, immediate, dead: see "Shutting Down the Server" in PostgreSQL's manual.
    stop_signals = (
        (signal.SIGINT, 30.0),
        (signal.SIGQUIT, 10.0),
        (signal.SIGKILL, 10.0),
    )

    def __init__(
        self,
        folder: Path,
        log: Path,
        *,
        passwords: dict[str, str],
        reset_passwords: bool,
        durable: bool,
    ) -> None:
        self.account = unprivileged_account()
        self.binaries = postgres_bin()
        if self.account:
            self.binaries = reachable_binaries(self.account, self.binaries)
            if folder.is_symlink() or not let_in(self.account, folder.parent):
                folder = reachable_cluster(self.account, folder)
        super().__init__(folder, log)
        self.passwords = passwords
        self.reset_passwords = reset_passwords
        self.durable = durable

    @property
    def url(self) -> str:
        return f"postgresql://{ROLE}:{self.passwords[ROLE]}@127.0.0.1:{self.port}/{ROLE}"

    def prepare(self) -> None:
        if not (self.folder / "PG_VERSION").exists():
            self._create_cluster()
        else:
            self._check_version()
            self._end_leftover()
            if self.reset_passwords:
                self._single_user(self.folder, self._password_statements("ALTER"))
        self.reset_passwords = False

    def command(self) -> list[str]:
        settings = [
            "listen_addresses=127.0.0.1",
            f"port={self.port}",
            "unix_socket_directories=",
            "max_connections=200",
            "log_checkpoints=off",
            "log_timezone=UTC",
            "timezone=UTC",
            *([] if self.durable else _THROWAWAY),
        ]
        options = [part for setting in settings for part in ("-c", setting)]
        return [str(self.binaries / "postgres"), "-D", str(self.folder), *options]

    def is_ready(self) -> bool:
        lines = self._pid_file()
        ours = self.process is not None and lines[:1] == [str(self.process.pid)]
        return ours and len(lines) > _READY_LINE and lines[_READY_LINE].strip() == "ready"

    def _pid_file(self) -> list[str]:
        try:
            return (self.folder / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _end_leftover(self) -> None:
        """End a server that an earlier instance left; forget a number that is a stranger's now.

        PostgreSQL itself handles a pid file whose process is gone, and refuses to start when the
        number lives: only we know whether that process is ours.
        """
        lines = self._pid_file()
        if not lines or not lines[0].strip().isdigit():
            return
        pid = int(lines[0])
        leftover = find_ours(pid, "postgres", str(self.folder))
        if leftover is not None and not end(leftover, self.stop_signals):
            raise InstanceError(
                f"An earlier PostgreSQL (process {pid}) on {self.folder} won't end. "
                "End it by hand, then start again."
            )
        if leftover is None and _exists(pid):
            (self.folder / "postmaster.pid").unlink(missing_ok=True)

    def _check_version(self) -> None:
        kept = (self.folder / "PG_VERSION").read_text().strip()
        told = self._run([str(self.binaries / "postgres"), "--version"]).split()[2]
        if told.split(".")[0] != kept:
            raise InstanceError(
                f"{self.folder} was made by PostgreSQL {kept}, and this is {told}. Dump it with "
                "the old programs and restore it with the new ones: see docs/operate.md."
            )

    def _create_cluster(self) -> None:
        """Make the cluster beside its place and move it there, so that half a cluster is none."""
        draft = self.folder.with_name(f"{self.folder.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if self.account:
            os.chown(draft, self.account.uid, self.account.gid)
        self._run(
            [
                str(self.binaries / "initdb"),
                f"--pgdata={draft}",
                f"--username={SUPERUSER}",
                "--auth-host=scram-sha-256",
                "--auth-local=reject",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-instructions",
                *([] if self.durable else ["--no-sync"]),
            ]
        )
        statements = [
            *self._password_statements("CREATE"),
            f"CREATE DATABASE {ROLE} OWNER {ROLE};",
        ]
        self._single_user(draft, statements)
        if self.folder.exists():
            self.folder.rmdir()
        draft.rename(self.folder)

    def _password_statements(self, verb: str) -> list[str]:
        """``CREATEDB`` is for the test-suite's databases; trusted extensions need no superuser."""
        return [
            f"ALTER ROLE {SUPERUSER} PASSWORD '{self.passwords[SUPERUSER]}';",
            f"{verb} ROLE {ROLE} LOGIN CREATEDB PASSWORD '{self.passwords[ROLE]}';",
        ]

    def _single_user(self, cluster: Path, statements: list[str]) -> None:
        self._run(
            [str(self.binaries / "postgres"), "--single", "-D", str(cluster), "postgres"],
            given="\n".join(statements) + "\n",
        )

    def _run(self, command: list[str], given: str = "") -> str:
        done = subprocess.run(  # noqa: S603 -- our own programs and arguments
            command,
            input=given,
            cwd="/",
            env={"LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath)},
            text=True,
            capture_output=True,
            check=False,
            **identity(self.account),
        )
        if done.returncode != 0:
            raise InstanceError(f"{Path(command[0]).name} failed:\n{done.stderr.strip()}")
        return done.stdout


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True

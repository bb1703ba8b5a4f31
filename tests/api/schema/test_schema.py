"""Every operation of the document, tried by schemathesis as everybody on a running instance.

No answer may be a 5xx, have a status, a body or a media type that the document doesn't name, or
tell of another tenant. ``LONGWAVE_SCHEMA_EXAMPLES=200`` tries harder, for as long as it takes.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.instance import PROJECT, Instance, running_instance

pytestmark = pytest.mark.schema

HERE = Path(__file__).parent
NO_LIMIT = "100000000"
DEEP = os.environ.get("LONGWAVE_SCHEMA_EXAMPLES", "")
# Streams never end; tests/live asks for them.
ENDLESS = "^stream_"


@dataclass(frozen=True)
class Run:
    """As whom and how schemathesis asks, so that all runs together take two minutes."""

    person: str  # of world.py
    way: str
    phases: str
    examples: int  # of each operation, in each phase that invents them
    mode: str = "all"
    only: str = ""  # operations whose address has this in it

    def __str__(self) -> str:
        return f"{self.person}-{self.way}"


RUNS = [
    Run("owner", "token", "examples,coverage,fuzzing,stateful", 3),
    Run("owner", "session", "examples,fuzzing", 1, "positive"),
    Run("analyst", "token", "examples,fuzzing", 2),
    Run("analyst", "session", "examples,fuzzing", 1, "positive"),
    Run("stranger", "token", "examples,fuzzing", 2),
    Run("stranger", "session", "examples,fuzzing", 1, "positive"),
    Run("staff", "session", "examples,coverage,fuzzing", 4, only="/platform/"),
]


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    """One that lets everybody ask as often as they like."""
    settings = {"LONGWAVE_API_RATE": NO_LIMIT, "LONGWAVE_API_RATE_ANONYMOUS": NO_LIMIT}
    settings["LONGWAVE_WEBHOOK_NETWORKS"] = "127.0.0.0/8"  # see NOWHERE of hooks.py
    with running_instance("--no-demo", **settings) as running:
        yield running


@pytest.fixture(scope="module")
def world(instance: Instance, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it is written what there is, and how to get in."""
    outside = {"DATABASE_URL", "REDIS_URL"}  # the engines of this test's own process
    environment = {name: text for name, text in os.environ.items() if name not in outside}
    environment |= {"LONGWAVE_DATA": str(instance.data), "LONGWAVE_BASE_URL": instance.origin}
    done = subprocess.run(
        [sys.executable, "-m", "tests.api.schema.world"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = tmp_path_factory.mktemp("schema") / "world.json"
    told.write_text(done.stdout)
    return told


def command(run: Run, origin: str, headers: dict[str, str]) -> list[str]:
    """schemathesis' own, with a seed that makes every run the same."""
    words = [str(Path(sys.executable).with_name("st"))]
    words += [f"--config-file={HERE / 'schemathesis.toml'}", "run", f"{origin}/api/v1/schema/"]
    words += [f"--header={name}: {value}" for name, value in headers.items()]
    words += ["--seed=20261121", f"--phases={run.phases}", f"--mode={run.mode}", "--no-color"]
    words += [f"--max-examples={DEEP or run.examples}", f"--exclude-operation-id-regex={ENDLESS}"]
    return [*words, *([f"--include-path-regex={run.only}"] if run.only else [])]


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_the_api_does_what_its_document_says(run: Run, instance: Instance, world: Path) -> None:
    people: dict[str, Any] = json.loads(world.read_text())["people"]
    environment = {"SCHEMA_WORLD": str(world), "SCHEMA_PERSON": run.person}
    environment["SCHEMATHESIS_HOOKS"] = "tests.api.schema.hooks"
    done = subprocess.run(
        command(run, instance.origin, people[run.person][run.way]),
        cwd=PROJECT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=3600 if DEEP else 600,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-20_000:]}\n{done.stderr[-5000:]}"
    assert " 0 generated" not in done.stdout

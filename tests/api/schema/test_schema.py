"""Every operation of the document, tried by schemathesis as everybody on a running instance.

No answer may be a 5xx, have a status, a body or a media type that the document doesn't name, or
tell of another tenant. What is tried is the same in every run, so that a change fails by its own
faults. ``LONGWAVE_SCHEMA_EXAMPLES=200`` tries harder and something else each time, for as long as
it takes; schemathesis names the seed, which ``LONGWAVE_SCHEMA_SEED`` gives it again.
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
# What was answered before, of which no two runs have the same, is nothing to make requests of.
REPEATABLE = """
[phases]
examples.extra-data-sources.responses = false
coverage.extra-data-sources.responses = false
fuzzing.extra-data-sources.responses = false
"""
DEEP = os.environ.get("LONGWAVE_SCHEMA_EXAMPLES", "")
SEED = os.environ.get("LONGWAVE_SCHEMA_SEED", "")
# Streams never end; tests/live asks for them.
ENDLESS = "^stream_"


@dataclass(frozen=True)
class Run:
    """As whom and how schemathesis asks, so that all runs together take three minutes."""

    person: str  # of world.py
    way: str
    phases: str
    examples: int  # of each operation, in each phase that invents them
    mode: str = "all"
    only: str = ""  # operations whose address has this in it

    def __str__(self) -> str:
        return f"{self.person}-{self.way}"


RUNS = [
    Run("owner", "token", "examples,coverage,fuzzing,stateful", 8),
    Run("owner", "session", "examples,fuzzing", 3, "positive"),
    Run("analyst", "token", "examples,fuzzing", 5),
    Run("analyst", "session", "examples,fuzzing", 3, "positive"),
    Run("stranger", "token", "examples,fuzzing", 5),
    Run("stranger", "session", "examples,fuzzing", 3, "positive"),
    Run("staff", "session", "examples,coverage,fuzzing", 4, only="/platform/"),
]


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    """One that lets everybody ask as often as they like."""
    settings = {"LONGWAVE_API_RATE": NO_LIMIT, "LONGWAVE_API_RATE_ANONYMOUS": NO_LIMIT}
    settings["LONGWAVE_WEBHOOK_NETWORKS"] = "127.0.0.0/8"  # see NOWHERE of hooks.py
    with running_instance("--no-demo", **settings) as running:
        yield running


@pytest.fixture
def world(run: Run, instance: Instance, tmp_path: Path) -> Path:
    """Where it is written what there is for this run alone, and how to get in."""
    outside = {"DATABASE_URL", "REDIS_URL"}  # the engines of this test's own process
    environment = {name: text for name, text in os.environ.items() if name not in outside}
    environment |= {"LONGWAVE_DATA": str(instance.data), "LONGWAVE_BASE_URL": instance.origin}
    done = subprocess.run(
        [sys.executable, "-m", "tests.api.schema.world", str(run)],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = tmp_path / "world.json"
    told.write_text(done.stdout)
    return told


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """What schemathesis does here."""
    written = tmp_path / "schemathesis.toml"
    text = (HERE / "schemathesis.toml").read_text()
    written.write_text(text if DEEP else text + REPEATABLE)
    return written


def command(run: Run, origin: str, headers: dict[str, str], config: Path) -> list[str]:
    """schemathesis' own."""
    words = [str(Path(sys.executable).with_name("st"))]
    words += [f"--config-file={config}", "run", f"{origin}/api/v1/schema/"]
    words += [f"--header={name}: {value}" for name, value in headers.items()]
    words += [f"--phases={run.phases}", f"--mode={run.mode}", "--no-color"]
    words += [f"--max-examples={DEEP or run.examples}", f"--exclude-operation-id-regex={ENDLESS}"]
    if run.only:
        words.append(f"--include-path-regex={run.only}")
    if not DEEP:
        words.append("--generation-deterministic")
    elif SEED:
        words.append(f"--seed={SEED}")
    return words


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_the_api_does_what_its_document_says(
    run: Run, instance: Instance, world: Path, config: Path
) -> None:
    people: dict[str, Any] = json.loads(world.read_text())["people"]
    environment = {"SCHEMA_WORLD": str(world), "SCHEMA_PERSON": run.person}
    environment["SCHEMATHESIS_HOOKS"] = "tests.api.schema.hooks"
    done = subprocess.run(
        command(run, instance.origin, people[run.person][run.way], config),
        cwd=PROJECT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=3600 if DEEP else 600,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-20_000:]}\n{done.stderr[-5000:]}"
    assert " 0 generated" not in done.stdout

"""Run a command beside engines of its own: ``python -m hosting.engines run -- CMD``."""

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

from hosting.engines import Engines, InstanceError, claim
from hosting.engines.runner import run_command


def main(arguments: list[str]) -> int:
    options = _parse(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    data = options.data or Path(tempfile.mkdtemp(prefix="longwave-"))
    try:
        with claim(data) as folder, Engines(folder, durable=options.data is not None) as engines:
            return run_command(options.command, engines.environment())
    except InstanceError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    finally:
        if options.data is None:
            _remove(data)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m hosting.engines", description=__doc__)
    run = parser.add_subparsers(required=True).add_parser("run")
    run.add_argument("--data", type=Path, help="kept afterwards; without it: a temporary folder")
    run.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    options.command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not options.command:
        parser.error("no command given after --")
    return options


def _leave(number: int, frame: FrameType | None) -> None:
    """A signal while the engines start must still stop them."""
    sys.exit(128 + number)


def _remove(data: Path) -> None:
    cluster = data / "postgres"
    if cluster.is_symlink():
        home = cluster.resolve()
        shutil.rmtree(home, ignore_errors=True)
        home.with_suffix(".lock").unlink(missing_ok=True)
    shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

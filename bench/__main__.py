"""``python -m bench [media|feed|count] [--rounds N] [--quick] [--json FILE]``"""

import argparse
import json
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from bench.count import measure_throughput
from bench.delay import measure_delays
from bench.feed import measure_feed
from bench.load.bodies import FaultError
from bench.measuring import Comparison
from bench.media import measure_media
from bench.place import longwave
from bench.report import Results, as_json, as_text, finish, surroundings
from bench.scenario import Extent, Scene

LEAST_ROUNDS = 3  # a median of fewer is none


def main(arguments: list[str]) -> int:
    options = _parse(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    extent = Extent.quick() if options.quick else Extent(rounds=options.rounds)
    results = Results(surroundings=surroundings())
    status = _attempt(options.names or list(_SCENARIOS), extent, results)
    finish(results)
    sys.stdout.write(f"{as_text(results)}\n")
    if options.quick:
        sys.stdout.write("This was a quick run: it shows that everything works, and no figures.\n")
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(results), indent=2) + "\n")
    return status


def _attempt(names: list[str], extent: Extent, results: Results) -> int:
    """The exit status; what was measured before something went wrong stays in the results."""
    try:
        _measure(names, extent, results)
    except FaultError as fault:
        _say(f"Stopped, for a wrong answer's speed is of no interest: {fault}")
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def _measure(names: list[str], extent: Extent, results: Results) -> None:
    _say("Starting an instance of its own, with the demo and a show of 300 episodes")
    with longwave() as (instance, server):
        from bench.seeding import seed  # its models need the settings of this instance

        logging.getLogger("httpx2").setLevel(logging.WARNING)
        scene = Scene(instance, server, seed(large_bytes=extent.large_bytes), extent)
        try:
            for name in names:
                _say(f"Measuring {name}")
                _SCENARIOS[name](scene, results)
        except FaultError:
            _say(f"The instance's last words:\n{instance.log()[-2000:]}")
            raise


def _media(scene: Scene, results: Results) -> None:
    _collect(measure_media(scene), results)


def _feed(scene: Scene, results: Results) -> None:
    _collect(measure_feed(scene), results)


def _collect(comparisons: Iterator[Comparison], results: Results) -> None:
    for comparison in comparisons:
        _say(f"{comparison.name}: {comparison.ratio:.2f} of {comparison.peer}")
        results.comparisons.append(comparison)


def _count(scene: Scene, results: Results) -> None:
    results.throughput = measure_throughput(scene)
    _say(f"{results.throughput.hits_per_second:,.0f} hits/s are counted")
    results.delays = measure_delays(scene)


_SCENARIOS: dict[str, Callable[[Scene, Results], None]] = {
    "media": _media,
    "feed": _feed,
    "count": _count,
}


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures Longwave and its peers in turns, and checks every byte.",
    )
    parser.add_argument("names", nargs="*", metavar="|".join(_SCENARIOS), help="default: all")
    parser.add_argument("--rounds", type=int, default=LEAST_ROUNDS, help="pairs (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="see that it works, in a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every round, for programs")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(_SCENARIOS):
        parser.error(f"nothing is called {', '.join(sorted(unknown))}")
    if options.rounds < LEAST_ROUNDS:
        parser.error(f"at least {LEAST_ROUNDS} rounds, or --quick")
    return options


def _leave(number: int, frame: FrameType | None) -> None:
    """A signal must still end what was started."""
    sys.exit(128 + number)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

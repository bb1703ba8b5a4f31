"""``python -m bench [NAME ...] [--rounds N] [--quick] ...``; ``--help`` lists the names."""

import argparse
import json
import logging
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType

from bench.count import measure_throughput
from bench.daphne import measure_daphne
from bench.delay import measure_delays
from bench.export import as_json
from bench.feed import measure_feed
from bench.figure import Figure
from bench.load.bodies import FaultError
from bench.load.sockets import allow_many
from bench.measuring import Comparison
from bench.media import measure_media
from bench.network import congestion_control, take_own_loopback
from bench.place import longwave
from bench.processes import measure_processes
from bench.recorded import check_recorded
from bench.report import Results, as_text, finish, surroundings
from bench.s3 import measure_s3
from bench.scenario import Extent, Scene, say
from bench.slow import measure_slow

LEAST_ROUNDS = 3  # a median of fewer is none


def main(arguments: list[str]) -> int:
    options = _parse(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    allow_many()
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
        say(f"Stopped, for a wrong answer's speed is of no interest: {fault}")
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def _measure(names: list[str], extent: Extent, results: Results) -> None:
    is_own_loopback = take_own_loopback()
    results.surroundings["congestion control"] = congestion_control()
    say("Starting an instance of its own, with a show of 300 episodes")
    with longwave() as (instance, server):
        from bench.seeding import seed  # its models need the settings of this instance

        logging.getLogger("httpx2").setLevel(logging.WARNING)
        seeded = seed(large_bytes=extent.large_bytes)
        scene = Scene(instance, server, seeded, extent, is_own_loopback)
        try:
            for name in names:
                say(f"Measuring {name}")
                _SCENARIOS[name](scene, results)
        except FaultError:
            say(f"The instance's last words:\n{instance.log()[-2000:]}")
            raise


def _media(scene: Scene, results: Results) -> None:
    _collect(measure_media(scene), results)
    check_recorded(scene, scene.server)


def _slow(scene: Scene, results: Results) -> None:
    _collect(measure_slow(scene), results)


def _s3(scene: Scene, results: Results) -> None:
    _collect(measure_s3(scene), results)


def _processes(scene: Scene, results: Results) -> None:
    _collect(measure_processes(scene), results)


def _daphne(scene: Scene, results: Results) -> None:
    _collect(measure_daphne(scene), results)


def _feed(scene: Scene, results: Results) -> None:
    _collect(measure_feed(scene), results)


def _charts(scene: Scene, results: Results) -> None:
    from bench.charts import measure_charts  # its models need the settings of this instance

    _collect(measure_charts(scene), results)


def _lists(scene: Scene, results: Results) -> None:
    from bench.lists import measure_lists  # its models need the settings of this instance

    _collect(measure_lists(scene), results)


def _collect(found: Iterable[Comparison | Figure], results: Results) -> None:
    for one in found:
        if isinstance(one, Comparison):
            say(f"{one.name}: {one.ratio:.2f} of {one.peer}")
            results.comparisons.append(one)
        else:
            say(f"{one.name}: {one.value:.1f} {one.unit}")
            results.figures.append(one)


def _count(scene: Scene, results: Results) -> None:
    _collect(measure_throughput(scene), results)
    results.delays = measure_delays(scene)


def _live(scene: Scene, results: Results) -> None:
    from bench.live import measure_live  # its models need the settings of this instance

    _collect(measure_live(scene), results)


_SCENARIOS: dict[str, Callable[[Scene, Results], None]] = {
    "media": _media,
    "slow": _slow,
    "s3": _s3,
    "processes": _processes,
    "daphne": _daphne,
    "feed": _feed,
    "count": _count,
    "live": _live,
    "charts": _charts,
    "lists": _lists,
}


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures Longwave and its peers in turns, and checks every byte.",
    )
    parser.add_argument("names", nargs="*", metavar="|".join(_SCENARIOS), help="default: all")
    parser.add_argument("--rounds", type=int, default=LEAST_ROUNDS, help="pairs (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="see that it works, in a few minutes")
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

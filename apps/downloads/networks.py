"""Whether an address lies in one of many networks, in the time of one bisection."""

from bisect import bisect_right
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from django.conf import settings

from apps.core.addresses import Network, parse, parse_networks
from apps.downloads.intervals import union


class NetworkSet:
    """A fixed set of networks; overlapping and adjacent ones are merged."""

    def __init__(self, networks: Iterable[Network] = ()) -> None:
        spans: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
        for network in networks:
            first = int(network.network_address)
            spans[network.version].append((first, first + network.num_addresses))
        self._spans = {version: union(found) for version, found in spans.items()}
        self._starts = {
            version: [start for start, _ in found] for version, found in self._spans.items()
        }

    def __bool__(self) -> bool:
        return any(self._spans.values())

    def __contains__(self, text: object) -> bool:
        address = parse(str(text))
        if address is None:
            return False
        number = int(address)
        index = bisect_right(self._starts[address.version], number) - 1
        return index >= 0 and number < self._spans[address.version][index][1]


def read_networks(path: Path) -> NetworkSet:
    """One network a line in CIDR form; ``#`` begins a comment. Raises OSError, ValueError."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return NetworkSet(parse_networks(line.partition("#")[0] for line in lines))


@cache
def _read(path: Path | None) -> NetworkSet:
    return NetworkSet() if path is None else read_networks(path)


def data_centres() -> NetworkSet:
    """The operator's list of data centres and VPNs; empty when there is none."""
    return _read(settings.DATACENTER_NETWORKS)


def leaves_out_data_centres() -> bool:
    """Whether a browser's address matters here.

    Where the list can't be read no counter begins (see checks.py): nothing from there counts.
    """
    try:
        return bool(data_centres())
    except (OSError, ValueError):
        return True

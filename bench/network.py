"""How this machine's loopback is made to behave like a network, for both sides alike."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from bench.load.bodies import FaultError
from bench.load.job import Job, Outcome

# What is left of Ethernet's 1,500 bytes beside the headers of IPv4 and of TCP; TCP's timestamps
# take 12 bytes of it in each segment.
_MAX_SEGMENT_BYTES = 1460
SEGMENT_BYTES = 1448
_ETHERNET_BYTES, _LOOPBACK_BYTES = 1500, 65536
# The kernel would remember of one measurement's connections how far they could go, for the next's.
_FORGET = Path("/proc/sys/net/ipv4/tcp_no_metrics_save")
# Some congestion controls send by the clock (BBR): with its alarms sending took two to three times
# the CPU on a virtual machine's loopback. Reno has none, and is there on every Linux.
_CONGESTION_CONTROL = Path("/proc/sys/net/ipv4/tcp_congestion_control")


@dataclass(frozen=True, slots=True)
class Network:
    """A way in which segments are as small as a network's."""

    description: str
    is_set_by_clients: bool

    def over(self, job: Job) -> Job:
        """The job, as it must be done to go this way."""
        return replace(job, max_segment_bytes=_MAX_SEGMENT_BYTES) if self.is_set_by_clients else job

    def check(self, outcome: Outcome) -> None:
        """Raises FaultError when the kernel received larger segments all the same."""
        if outcome.segment_bytes > SEGMENT_BYTES:
            raise FaultError(f"segments of {outcome.segment_bytes} bytes came")


def take_own_loopback() -> bool:
    """Give this process and its children a loopback that they share with nobody, if we may.

    Its own ports, its own traffic, and nobody else notices when it is made smaller.
    """
    if sys.platform != "linux" or shutil.which("ip") is None:
        return False
    try:
        os.unshare(os.CLONE_NEWNET)
    except OSError:  # takes root's rights
        return False
    _set("up")
    for setting, value in ((_FORGET, "1"), (_CONGESTION_CONTROL, "reno")):
        with suppress(OSError):
            setting.write_text(value)
    return True


def congestion_control() -> str:
    """What keeps this process's connections from sending too fast, as the kernel calls it."""
    try:
        return _CONGESTION_CONTROL.read_text().strip()
    except OSError:
        return "unknown"


@contextmanager
def like_a_network(*, is_own_loopback: bool) -> Iterator[Network]:
    """What connects within the context exchanges segments of SEGMENT_BYTES.

    The kernel still hands them over many at a time, as it does to any network card that can cut.
    """
    if not is_own_loopback:
        yield Network("clients that allow no larger ones (TCP_MAXSEG)", is_set_by_clients=True)
        return
    _set("mtu", str(_ETHERNET_BYTES))
    try:
        yield Network("a loopback of our own with Ethernet's MTU", is_set_by_clients=False)
    finally:
        _set("mtu", str(_LOOPBACK_BYTES))


def _set(*options: str) -> None:
    subprocess.run(["ip", "link", "set", "lo", *options], check=True)

"""The data of an instance that has been started once, made once for all tests and their workers.

A first start makes a cluster, migrates it and composes the demo's audio, for a quarter of a minute
of a processor's time: tests of something else begin with a copy.
"""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path


def copy_ready_data(to: Path, *, make: Callable[[], Path]) -> None:
    """Copy it there, and first of all ``make`` it: a folder that nothing runs on any more.

    It lies beside the data of the engines that the tests run on, and goes with them. Where there
    are none, or the cluster lies elsewhere (see reachable_cluster), nothing is copied.
    """
    ours = os.environ.get("LONGWAVE_DATA")
    if not ours:
        return
    ready = Path(ours) / "ready-data"
    with Path(f"{ready}.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not ready.exists():
            _copy(made := make(), Path(f"{ready}.new"))
            shutil.rmtree(made)
            Path(f"{ready}.new").rename(ready)
    if not (ready / "postgres").is_symlink():
        _copy(ready, to)


def _copy(folder: Path, to: Path) -> None:
    """With owners: the cluster is another account's where tests run as root."""
    subprocess.run(["cp", "-Rp", str(folder), str(to)], check=True, timeout=120)

"""How the interpreter shares its time in a process that answers many at once."""

import gc
import sys

# The most that a page's thread, back from the database, waits for a busy event loop; each time.
# Python's own are 5 ms.
_SWITCH_SECONDS = 0.001


def prepare() -> None:
    """To be called once, when everything that lasts is loaded."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    # What lasts is never garbage, and going through all of it stops everybody for a tenth of a
    # second.
    gc.collect()
    gc.freeze()

"""How the interpreter shares its time in a process that answers many at once."""

import gc
import sys

# A page's thread that comes back from the database waits so long for the event loop to let it go
# on, each time; Python's own 5 ms, a dozen times a page, is what a reader notices.
_SWITCH_SECONDS = 0.001


def prepare() -> None:
    """To be called once, when everything that lasts is loaded."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    # What lasts is never garbage, and going through all of it stops everybody for a tenth of a
    # second.
    gc.collect()
    gc.freeze()

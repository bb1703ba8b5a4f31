"""How the interpreter shares its time in a process that lasts."""

import gc
import sys

# The most that a page's thread, back from the database, waits for a busy event loop; each time.
# Python's own are 5 ms.
SWITCH_SECONDS = 0.001
# Python's own (2,000) would go through each object of a large batch several times while it lives,
# which was a quarter of a batch's time.
BATCH_OBJECTS = 50_000


def prepare(*, switch_seconds: float = SWITCH_SECONDS, batch_objects: int | None = None) -> None:
    """To be called once, when everything that lasts is loaded.

    ``switch_seconds`` is the most that one thread waits for another that computes; each time.
    ``batch_objects`` is how many may be made before a look for garbage among them, where thousands
    live for as long as a batch; None: as Python does.
    """
    sys.setswitchinterval(switch_seconds)
    # What lasts is never garbage, and going through all of it stops everybody for a tenth of a
    # second.
    gc.collect()
    gc.freeze()
    if batch_objects is not None:
        gc.set_threshold(batch_objects, *gc.get_threshold()[1:])

"""What one connection may cost, whichever server has it."""

import os

# What the kernel may hold of a response beyond what is on its way to the client: a slow listener
# costs little, and a fast one needn't be asked every 100 microseconds. What waits for longer is no
# longer in the processor's caches when it is copied: 4 MiB for the fast made whole files slower.
NOT_SENT_BYTES = 128 * 1024
NOT_SENT_BYTES_FAST = 512 * 1024
FAST_WAIT_SECONDS = 0.05
"""Who makes room within this time is fast, until a wait takes ten times as long.

Longer than a busy server's turn, or those who were fast first would keep the others slow.
"""

SEND_TIMEOUT_SECONDS = float(os.environ.get("LONGWAVE_SEND_TIMEOUT", "120"))
"""A client that takes not one byte for so long is let go; an app resumes with a range."""

GRACE_SECONDS = 10
"""A stop lets a page, an upload part or a piece of audio finish; a player resumes a longer one."""

MAX_SOCKET_MESSAGE = 16 * 1024
"""Our sockets only listen: what a browser says there is a few bytes, or an attack."""

IDLE_SECONDS = 30.0
"""How long a kept connection, or one that has said nothing yet, may be silent."""

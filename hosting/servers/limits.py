"""What one connection may cost, whichever server has it."""

import os

# What the kernel may hold beyond what is on its way: a slow listener costs this, not megabytes.
# Large enough for a fast one (measured: no throughput lost), see docs/adr/0008.
NOT_SENT_BYTES = 128 * 1024

SEND_TIMEOUT_SECONDS = float(os.environ.get("LONGWAVE_SEND_TIMEOUT", "120"))
"""A client that takes not one byte for so long is let go; an app resumes with a range."""

GRACE_SECONDS = 10
"""A stop lets a page, an upload part or a piece of audio finish; a player resumes a longer one."""

MAX_SOCKET_MESSAGE = 16 * 1024
"""Our sockets only listen: what a browser says there is a few bytes, or an attack."""

IDLE_SECONDS = 30.0
"""How long a kept connection, or one that has said nothing yet, may be silent."""

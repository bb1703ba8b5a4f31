"""In what steps a response tells what arrived, so that a kill takes no download."""

from apps.downloads.threshold import threshold_bytes
from apps.media.serving import NO_STEPS, Steps

KILLS = 4
"""So many kills in the middle of one download take nothing, where the file is long enough."""
_FEWEST_PARTS = 8


def steps_of(*, size_bytes: int, header_bytes: int, duration_ms: int) -> Steps:
    """In what steps to tell what arrives of a file, until its threshold is told.

    What a kill leaves untold is one step at most, and the listener fetches the rest: in the end all
    but that step is on record. So a download that was finished is counted after as many kills as
    whole steps go into what the file has beyond its threshold. That is at least one, and four
    where the threshold is a fifth of the file or less.

    A file that has hardly more than its threshold (67 seconds and less) would need steps down to
    one byte: of such a one a kill may take the download. Raises ValueError for a file without
    bytes.
    """
    threshold = threshold_bytes(
        size_bytes=size_bytes, header_bytes=header_bytes, duration_ms=duration_ms
    )
    spare = size_bytes - threshold
    if spare * _FEWEST_PARTS < threshold:
        return NO_STEPS
    return Steps(max(spare // KILLS, min(threshold, spare)), threshold)

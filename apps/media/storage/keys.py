"""What the keys of stored objects look like; what else lies in a bucket is none of our business."""

import re

# Named after the hash of their contents, but for originals, which are named after their upload.
CONTENT_FOLDERS = ("assets", "images", "renditions")
ORIGINALS = "originals"
FOLDERS = (*CONTENT_FOLDERS, ORIGINALS)

_UPLOAD_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ORIGINAL = re.compile(rf"{ORIGINALS}/({_UPLOAD_ID})")
_NAMED_AFTER_CONTENT = re.compile(
    rf"(?:{'|'.join(CONTENT_FOLDERS)})/[0-9a-f]{{2}}/[0-9a-f]{{64}}(?:\.[a-z0-9]{{1,8}})?"
)


def is_ours(key: str) -> bool:
    """Whether Longwave makes such keys."""
    return bool(_NAMED_AFTER_CONTENT.fullmatch(key) or _ORIGINAL.fullmatch(key))


def upload_id_of(key: str) -> str | None:
    """The upload that this original came with."""
    found = _ORIGINAL.fullmatch(key)
    return found[1] if found else None

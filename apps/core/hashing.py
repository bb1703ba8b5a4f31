"""Content hashes of files, read in pieces."""

import hashlib
from pathlib import Path


def sha256_of_file(path: Path) -> str:
    """The SHA-256 of a file's bytes in lower-case hexadecimal; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_bytes(content: bytes) -> str:
    """The SHA-256 of these bytes in lower-case hexadecimal."""
    return hashlib.sha256(content).hexdigest()

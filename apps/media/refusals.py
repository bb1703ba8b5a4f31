"""Why a file can't be used: a code for programs and a sentence for the person who sent it."""

from __future__ import annotations


class MediaError(Exception):
    """Preparing a file ended without a result.

    `code` is stable and short; `message` says what is wrong and what to do next.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type[MediaError], tuple[str, str]]:
        return type(self), (self.code, self.message)


class FileRefusedError(MediaError):
    """The file itself is the reason: only another file helps."""


class PreparationError(MediaError):
    """The work on the file was stopped: it took too long, too much memory, or crashed."""

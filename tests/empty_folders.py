"""An empty folder for each test; most leave theirs empty, and the next one takes it over."""

import shutil
import tempfile
from pathlib import Path


class EmptyFolders:
    """A context manager, at whose end the last folder is removed."""

    def __init__(self) -> None:
        self._folder: Path | None = None

    def take(self) -> Path:
        """A folder in which nothing is: a new one, if the test before has used its own."""
        if self._folder is not None and any(self._folder.iterdir()):
            self._remove()
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="longwave-test-"))
        return self._folder

    def _remove(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder)
            self._folder = None

    def __enter__(self) -> "EmptyFolders":
        return self

    def __exit__(self, *exception: object) -> None:
        self._remove()

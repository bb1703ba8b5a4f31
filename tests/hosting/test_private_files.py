"""What lies in the data folder is for nobody else on the machine."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from hosting.engines.folder import DataFolder
from hosting.engines.processes import spawn
from tests.instance import new_instance, wait_for

# Says which process runs; style sheets that every visitor gets.
PUBLIC = {"lock", "static"}


def exposed(folder: Path) -> Iterator[Path]:
    """What another account could read or write, as far as it can pass."""
    for path in folder.iterdir():
        mode = path.lstat().st_mode
        if path.name in PUBLIC or stat.S_ISLNK(mode):
            continue
        if mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IRGRP | stat.S_IWGRP):
            yield path
        if stat.S_ISDIR(mode) and mode & (stat.S_IXOTH | stat.S_IXGRP):
            yield from exposed(path)


def test_private_folders_are_made_private_and_loose_ones_closed(data: Path) -> None:
    (data / "mail").mkdir(parents=True, mode=0o755)
    (data / "mail").chmod(0o755)
    folder = DataFolder(data)
    folder.create()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.private}
    assert modes == dict.fromkeys(("logs", "mail", "media", "scratch", "spool"), 0o700)


def test_a_new_data_folder_can_be_passed_but_not_listed(data: Path) -> None:
    DataFolder(data).create()
    assert stat.S_IMODE(data.stat().st_mode) == 0o711


def test_children_write_for_their_own_account_alone(tmp_path: Path) -> None:
    script = "from pathlib import Path; Path('made').mkdir(); Path('made/file').write_text('x')"
    process = spawn(
        [sys.executable, "-c", script], cwd=tmp_path, env=os.environ, output=subprocess.DEVNULL
    )
    assert process.wait(30) == 0
    made = tmp_path / "made"
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert stat.S_IMODE((made / "file").stat().st_mode) == 0o600


@pytest.mark.faults
def test_nothing_of_a_running_instance_can_be_read_by_others() -> None:
    with new_instance() as instance:
        with httpx2.Client(base_url=instance.origin) as browser:
            browser.get("/accounts/password/reset/")
            form = {
                "email": "nobody@example.com",
                "csrfmiddlewaretoken": browser.cookies["csrftoken"],
            }
            assert browser.post("/accounts/password/reset/", data=form).status_code == 302
        wait_for(lambda: list((instance.data / "mail").iterdir()), what="a mail")
        assert list((instance.data / "media").rglob("*.mp3"))
        assert list(exposed(instance.data)) == []

"""The scripts that find a Python, keep .venv at its lock, and find a browser."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.hosting.conftest import PROJECT

SCRIPT = PROJECT / "bin" / "bootstrap.py"


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, PROJECT / "bin" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


bootstrap = _script("bootstrap")
locks = _script("locks")


def _python(path: Path, *, suits: bool) -> Path:
    """A stand-in that answers the two questions the script asks a Python."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "#!/bin/sh\n"
        f'case "$2" in *executable*) echo "{path}";; *) exit {0 if suits else 1};; esac\n'
    )
    path.chmod(0o755)
    return path


def _find(home: Path, *, path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(PROJECT / "bin" / "find-python")],
        env={"PATH": str(path), "HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("programs", "chosen"),
    [
        ({"bin/python3.14": True, "bin/python3.12": True}, "bin/python3.14"),
        ({"bin/python3.14": False, "bin/python3.13": True}, "bin/python3.13"),
        ({"bin/python3": True}, "bin/python3"),
        (
            {"bin/python3": False, ".pyenv/versions/3.13.2/bin/python3": True},
            ".pyenv/versions/3.13.2/bin/python3",
        ),
        (
            {
                ".pyenv/versions/3.12.9/bin/python3": True,
                ".pyenv/versions/3.13.2/bin/python3": True,
            },
            ".pyenv/versions/3.13.2/bin/python3",
        ),
        (
            {
                ".pyenv/versions/3.14.0/bin/python3": False,
                ".pyenv/versions/3.12.9/bin/python3": True,
            },
            ".pyenv/versions/3.12.9/bin/python3",
        ),
    ],
)
def test_the_newest_python_that_suits_is_found(
    tmp_path: Path, programs: dict[str, bool], chosen: str
) -> None:
    home = tmp_path / "my home"
    for name, suits in programs.items():
        _python(home / name, suits=suits)
    found = _find(home, path=home / "bin")
    assert found.stdout.strip() == str(home / chosen), found.stderr


def test_pyenv_is_found_where_its_variable_says(tmp_path: Path) -> None:
    python = _python(tmp_path / "elsewhere/versions/3.12.1/bin/python3", suits=True)
    found = _find(tmp_path, path=tmp_path, PYENV_ROOT=str(tmp_path / "elsewhere"))
    assert found.stdout.strip() == str(python)


def test_without_a_python_one_is_told_how_to_get_one(tmp_path: Path) -> None:
    found = _find(tmp_path, path=tmp_path)
    assert found.returncode == 1
    assert found.stdout == ""
    for way in ("3.12 or newer", "apt-get install", "pyenv install", "uv python install"):
        assert way in found.stderr
    assert "no python3 on the PATH" in found.stderr


def test_a_python_that_does_not_suit_is_named(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text(
        '#!/bin/sh\ncase "$2" in *platform*) echo "old is Python 3.11.2";; *) exit 1; esac'
    )
    old.chmod(0o755)
    assert "(old is Python 3.11.2)" in _find(tmp_path, path=tmp_path).stderr


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with locks that ask for nothing."""
    folder = tmp_path / "a clone"
    (folder / "requirements").mkdir(parents=True)
    for name in ("runtime", "dev"):
        (folder / "requirements" / f"{name}.txt").write_text("# nothing\n")
    return folder


def test_an_environment_is_made_once_and_again_when_its_lock_changes(clone: Path) -> None:
    environment = bootstrap.Environment(clone)
    assert not environment.satisfies("runtime")
    environment.install("runtime")
    assert environment.satisfies("runtime")
    assert not environment.satisfies("dev")
    environment.install("dev")
    assert environment.satisfies("runtime")
    assert environment.satisfies("dev")

    (clone / "requirements" / "dev.txt").write_text("# nothing, said anew\n")
    assert not environment.satisfies("dev")
    assert environment.satisfies("runtime")

    environment.python.unlink()
    environment.python.symlink_to("/no/such/python")
    assert not environment.satisfies("runtime")
    environment.install("runtime")
    assert environment.satisfies("runtime")


def test_a_python_behind_a_link_makes_an_environment_that_starts(
    clone: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    link = tmp_path / "bin" / "python3"
    link.parent.mkdir()
    link.symlink_to(os.path.realpath(sys.executable))
    monkeypatch.setattr(sys, "executable", str(link))
    environment = bootstrap.Environment(clone)
    environment.install("runtime")
    home = (environment.folder / "pyvenv.cfg").read_text().splitlines()[0]
    assert home == f"home = {Path(os.path.realpath(link)).parent}"


def test_half_an_environment_is_made_anew(clone: Path) -> None:
    environment = bootstrap.Environment(clone)
    environment.python.parent.mkdir(parents=True)
    environment.python.symlink_to(sys.executable)  # it starts, but has no installer of its own
    (environment.folder / "rubbish").touch()
    environment.install("runtime")
    assert environment.satisfies("runtime")
    assert not (environment.folder / "rubbish").exists()


def test_a_package_that_was_half_installed_counts_as_missing(clone: Path) -> None:
    environment = bootstrap.Environment(clone)
    packages = environment.folder / "lib" / "python3.13" / "site-packages"
    whole, half = packages / "whole-1.dist-info", packages / "half-1.dist-info"
    for metadata in (whole, half):
        metadata.mkdir(parents=True)
    (whole / "RECORD").touch()
    environment._forget_half_installed()
    assert whole.exists()
    assert not half.exists()


def test_two_in_one_clone_take_turns(clone: Path) -> None:
    with bootstrap.turn(clone):
        script = (
            f"import runpy, pathlib; turn = runpy.run_path({str(SCRIPT)!r})['turn']\n"
            f"with turn(pathlib.Path({str(clone)!r})): print('mine')"
        )
        other = subprocess.Popen(
            [sys.executable, "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert other.stderr is not None
        assert "waiting" in other.stderr.readline()
        assert other.poll() is None
    assert other.communicate(timeout=20)[0] == "mine\n"


def test_the_locks_were_made_for_what_is_asked() -> None:
    for name in locks.LOCKS:
        assert locks.first_line(locks.lock(name)) == locks.header()


def test_another_wish_makes_the_locks_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "requirements").symlink_to(PROJECT / "requirements")
    asked = (PROJECT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(asked.replace('"django>=', '"django>'))
    monkeypatch.setattr(locks, "PROJECT", tmp_path)
    with pytest.raises(SystemExit, match="make lock"):
        locks.main("check")


def test_a_named_browser_is_taken(tmp_path: Path) -> None:
    script = [str(PROJECT / "bin" / "find-chromium")]
    browser = tmp_path / "my browser"
    browser.write_text("#!/bin/sh\n")
    browser.chmod(0o755)
    named = {**os.environ, "LONGWAVE_CHROMIUM": str(browser)}
    found = subprocess.run(script, env=named, capture_output=True, text=True, check=True)
    assert found.stdout == f"{browser}\n"

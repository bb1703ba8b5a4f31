"""What the browser is sent: files that exist, names that may be cached, markup the CSP allows."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import get_template
from django.test import override_settings
from lxml import etree

from frontend.storage import ManifestStorage

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
TEMPLATES = sorted((FRONTEND / "templates").rglob("*.html"))
MODULES = sorted((FRONTEND / "static" / "js").glob("*.js"))
SHEETS = sorted((FRONTEND / "static" / "css").glob("*.css"))


def relative(path: Path) -> str:
    """A name for a test's case."""
    return str(path.relative_to(FRONTEND))


@pytest.mark.parametrize("path", TEMPLATES, ids=relative)
def test_templates_hold_nothing_that_the_content_security_policy_forbids(path: Path) -> None:
    source = path.read_text()
    assert not re.search(r"\sstyle\s*=", source), "a style attribute"
    assert not re.search(r"<style\b", source), "a style element"
    assert not re.search(r"\son[a-z]+\s*=", source), "an event handler attribute"
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", source), "a script"
    assert "javascript:" not in source
    assert not re.search(r"hx-(on|vals='js:)", source), "htmx code, which needs eval"


@pytest.mark.parametrize("path", TEMPLATES, ids=relative)
def test_templates_compile(path: Path) -> None:
    assert get_template(str(path.relative_to(FRONTEND / "templates")))


def used_icons() -> Iterator[str]:
    """The names in every icon tag."""
    for path in TEMPLATES:
        yield from re.findall(r"{% icon \"([a-z0-9-]+)\"", path.read_text())
        yield from re.findall(r"_icon=\"([a-z0-9-]+)\"", path.read_text())


def test_every_icon_is_in_the_sprite() -> None:
    sprite = etree.parse(FRONTEND / "static" / "vendor" / "lucide" / "icons.svg")
    drawn = {symbol.get("id") for symbol in sprite.getroot()}
    used = set(used_icons())
    assert used
    assert used <= drawn


def test_every_static_file_that_a_template_names_exists() -> None:
    names = {
        name
        for path in TEMPLATES
        for name in re.findall(r"{% static ['\"]([^'\"]+)['\"]", path.read_text())
    }
    assert {name for name in names if finders.find(name) is None} == set()


@pytest.mark.parametrize("path", [*MODULES, *SHEETS], ids=relative)
def test_scripts_and_styles_load_nothing_from_elsewhere(path: Path) -> None:
    source = path.read_text()
    for address in re.findall(r"(?:from|import|url\()\s*[\"'(]?([^\"')\s;]+)", source):
        assert not address.startswith(("http:", "https:", "//", "data:")), address
    assert "eval(" not in source
    assert "innerHTML" not in source, "text from elsewhere could become markup"


def test_imports_of_modules_follow_the_hashed_names(tmp_path: Path) -> None:
    (tmp_path / "page.js").write_text('import { a } from "./part.js";\nimport "./part.js";\n')
    (tmp_path / "part.js").write_text("export const a = 1;\n")
    with override_settings(STATIC_ROOT=tmp_path, DEBUG=False):
        storage = ManifestStorage(location=tmp_path, base_url="/static/")
        paths = {name: (storage, name) for name in ("page.js", "part.js")}
        for _, _, problem in storage.post_process(paths):
            assert not isinstance(problem, Exception)
        page = (tmp_path / storage.stored_name("page.js")).read_text()
        part = storage.stored_name("part.js")
    assert re.fullmatch(r"part\.[0-9a-f]{12}\.js", part)
    assert page.count(f'"./{part}"') == 2


def test_vendored_files_come_with_their_licences() -> None:
    folders = [folder for folder in (FRONTEND / "static" / "vendor").iterdir() if folder.is_dir()]
    assert folders
    for folder in folders:
        assert [path for path in folder.iterdir() if path.name.upper().startswith("LICENSE")], (
            folder
        )

"""The lines of docs/api.md for a shell, run as they stand there against a whole instance."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from apps.accounts.scopes import Scope
from tests.faults.podcaster import Podcaster
from tests.instance import PROJECT, running_instance
from tests.media.sounds import make_mp3

pytestmark = pytest.mark.faults
SECTIONS = [
    "First call",
    "Signing in",
    "Lists",
    "Reading again, changing safely, repeating",
    "Shows",
    "Episodes",
    "Audio",
    "Uploads",
    "Statistics",
    "Live figures",
    "Live lists",
]
TOOLS = ["sh", "curl", "jq", "openssl"]


def lines_of(section: str) -> str:
    """What stands in a section's blocks for a shell."""
    text = (PROJECT / "docs" / "api.md").read_text()
    found = re.search(rf"^## {section}\n(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL)
    assert found is not None, section
    blocks = re.findall(r"^```sh\n(.*?)^```", found[1], re.MULTILINE | re.DOTALL)
    assert blocks, section
    return "\n".join(blocks)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables of somebody who has read the beginning of the document."""
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        pytest.skip(f"not installed: {', '.join(missing)}")
    home = tmp_path_factory.mktemp("home")
    # A refused request ends curl with an error, as none of the lines should.
    (home / ".curlrc").write_text("fail-with-body\nmax-time = 60\n")
    make_mp3(home / "episode.mp3")
    Image.new("RGB", (1400, 1400), "grey").save(home / "cover.png")
    Image.new("RGB", (1400, 1400), "grey").save(home / "cover.jpg")
    with running_instance() as instance:
        podcaster = Podcaster(instance, "demo@example.com")
        show = podcaster.show()
        episodes = podcaster.ask("GET", f"/api/v1/shows/{show['id']}/episodes/").json()["results"]
        episode = episodes[0]["id"]
        podcaster.ask("PATCH", f"/api/v1/episodes/{episode}/", json={"season_number": 2})
        made = podcaster.ask(
            "POST", "/api/v1/tokens/", json={"name": "Lines", "scopes": list(Scope)}
        ).json()
        yield {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "API": f"{instance.origin}/api/v1",
            "TOKEN": made["secret"],
            "ORGANIZATION": show["organization"],
            "SHOW": show["id"],
            "EPISODE": episode,
        }


@pytest.mark.parametrize("section", SECTIONS)
def test_the_lines_of_the_document_work(section: str, shell: dict[str, str]) -> None:
    done = subprocess.run(
        ["sh", "-e", "-u"],
        input=lines_of(section),
        env=shell,
        cwd=shell["HOME"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert '"problem"' not in done.stdout.replace('"problem":null', "")
    assert "urn:longwave:problem" not in done.stdout


def test_no_line_of_the_document_is_left_out() -> None:
    text = (PROJECT / "docs" / "api.md").read_text()
    found = re.findall(r"^## ([^\n]+)\n((?:(?!^## ).*\n?)*)", text, re.MULTILINE)
    assert [name for name, section in found if "```sh\n" in section] == SECTIONS


def test_the_client_of_the_document_works(shell: dict[str, str]) -> None:
    path = PROJECT / "docs" / "examples" / "client.py"
    spec = importlib.util.spec_from_file_location("longwave_client", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    client = module.Client(shell["API"], shell["TOKEN"])
    show = next(one for one in client.shows() if one.id == shell["SHOW"])
    episode = client.create_episode(show, "By the client", "With **notes**.")
    renamed = client.rename(episode, "By the client, again")
    with pytest.raises(module.ProblemError) as refused:
        client.rename(episode, "Too late")
    assert (refused.value.status, refused.value.code) == (412, "changed_meanwhile")
    client.upload(show, renamed, Path(shell["HOME"]) / "episode.mp3")
    assert client.publish(renamed).title == "By the client, again"
    assert client.downloads(show) == client.downloads(show)  # the second time by its tag
    titles = [row["title"] for row in client.pages(f"shows/{show.id}/episodes/", page_size=2)]
    assert "By the client, again" in titles
    assert len(titles) > 2
    assert next(client.live(show))["type"] == "show"

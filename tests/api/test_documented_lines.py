"""The lines of docs/api.md for a shell, run as they stand there against a whole instance."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from PIL import Image

from apps.accounts.scopes import Scope
from tests.faults.podcaster import Podcaster
from tests.instance import PROJECT, running_instance
from tests.media.sounds import make_mp3

pytestmark = pytest.mark.faults
SECTIONS = ["Episodes", "Audio", "Uploads", "Statistics"]
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

"""What is wrong with the files by which downloads are counted is said before it matters."""

from pathlib import Path

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from apps.downloads.user_agents.current import updated_file


def found() -> set[str]:
    """The checks of this room that complain."""
    ids = {str(message.id) for message in run_checks()}
    return {one for one in ids if one.startswith("downloads.")}


def test_an_installation_without_files_of_its_own_is_fine() -> None:
    assert found() == set()


@pytest.mark.parametrize(
    ("text", "complaints"),
    [
        ("192.0.2.0/24 # a cloud\n\n2001:db8::/32\n", set()),
        ("192.0.2.0/240\n", {"downloads.W001"}),
        (None, {"downloads.W001"}),
    ],
)
def test_networks_of_data_centres_that_cannot_be_read_are_named(
    tmp_path: Path, settings: Settings, text: str | None, complaints: set[str]
) -> None:
    settings.DATACENTER_NETWORKS = tmp_path / "networks"
    if text is not None:
        settings.DATACENTER_NETWORKS.write_text(text)
    assert found() == complaints


@pytest.mark.parametrize("text", ["[]", "{", '{"lists": {}}'])
def test_lists_of_user_agents_that_cannot_be_read_are_named(settings: Settings, text: str) -> None:
    updated_file().write_text(text)
    assert found() == {"downloads.W002"}
    updated_file().unlink()
    settings.USER_AGENTS = "/nowhere"
    assert found() == {"downloads.W002"}

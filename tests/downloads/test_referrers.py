"""What a referrer is called in a list of referrers."""

import json
from pathlib import Path

import pytest
from pytest_django import Settings

from apps.downloads.referrers import Referrer, find_referrer, referrer_name
from apps.downloads.user_agents.entries import LIST_NAMES


@pytest.mark.parametrize(
    ("referrer", "name"),
    [
        ("open.spotify.com", "Spotify"),
        ("https://open.spotify.com/show/1?x=2", "Spotify"),
        ("podcasts.apple.com", "Apple Podcasts"),
        ("www.google.co.uk", "Google search"),
        ("blog.example", "blog.example"),
        ("www.blog.example", "blog.example"),
        ("https://WWW.Blog.example:8443/post?x=1", "blog.example"),
        ("open.spotify.com.evil.example", "open.spotify.com.evil.example"),
        ("notoverc ast.fm", "notoverc ast.fm"),
        ("myovercast.fm", "myovercast.fm"),
        ("", ""),
        ("  ", ""),
        ("http://[broken", ""),
        ("x" * 5000, "x" * 512),
    ],
)
def test_a_web_player_has_a_name_and_any_other_page_its_host(referrer: str, name: str) -> None:
    assert referrer_name(referrer) == name


def test_a_referrer_says_what_kind_of_page_it_is() -> None:
    assert find_referrer("overcast.fm") == Referrer("Overcast", "app", is_known=True)
    assert find_referrer("player.captivate.fm").category == "host"
    assert find_referrer("blog.example") == Referrer("blog.example")


def test_an_operators_referrers_come_before_ours(tmp_path: Path, settings: Settings) -> None:
    for name in LIST_NAMES:
        entries = [{"name": "Ours", "pattern": "^https://(blog|overcast)\\.[a-z]+/"}]
        found = {"entries": entries if name == "referrers" else []}
        (tmp_path / f"{name}.json").write_text(json.dumps(found))
    settings.USER_AGENTS = tmp_path

    assert [referrer_name(host) for host in ("blog.example", "overcast.fm", "castro.fm")] == [
        "Ours",
        "Ours",
        "Castro",
    ]

"""What user agents are: our own list, and an operator's."""

import json
from pathlib import Path
from time import monotonic

import pytest
from pytest_django import Settings

from apps.downloads.agents import (
    MAX_AGENT_LENGTH,
    AgentKind,
    classify,
)
from apps.downloads.user_agents import current
from apps.downloads.user_agents.entries import LIST_NAMES

ANDROID = "(Linux; U; Android 14; Pixel 8)"
IPHONE_SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.2 Mobile/15E148 Safari/604.1"
)
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "name", "platform"),
    [
        ("Podcasts/1575.1.2 CFNetwork/1240.0.4 Darwin/20.6.0", "Apple Podcasts", "mobile"),
        ("Podcasts/1410.53 CFNetwork/1111 Darwin/19.0.0 (x86_64)", "Apple Podcasts", "computer"),
        ("AirPodcasts/1670.2 CFNetwork/1335 Darwin/21.6.0", "Apple Podcasts", "smart_speaker"),
        ("Overcast/3.0 (+http://overcast.fm/; iOS podcast app)", "Overcast", "mobile"),
        ("Pocket Casts", "Pocket Casts", ""),
        ("PocketCasts/1.0 (Pocket Casts Feed Reader; Android)", "Pocket Casts", "mobile"),
        ("Castro 2020.14/1287", "Castro", ""),
        ("Spotify/8.7.10 iOS/15.3.1 (iPhone13,2)", "Spotify", "mobile"),
        ("Spotify/8.9.0 Android/34 (Pixel 8)", "Spotify", "mobile"),
        (f"com.google.android.apps.youtube.music/6.2 {ANDROID} gzip", "YouTube Music", "mobile"),
        ("AmazonMusic/22.5.3 iPhone14,3 CFNetwork/1331 Darwin/21.4.0", "Amazon Music", "mobile"),
        (f"PodcastAddict/v5 - {ANDROID}", "Podcast Addict", "mobile"),
        ("AntennaPod/3.4.0", "AntennaPod", "mobile"),
        ("CastBox/8.30.8 (fm.castbox.audiobook.radio.podcast; Android 13)", "Castbox", "mobile"),
        ("Player%20FM/588 CFNetwork/1121.2.2 Darwin/19.2.0", "Player FM", "mobile"),
        ("Fountain/0.5.3 ios https://www.fountain.fm", "Fountain", "mobile"),
        ("Podverse/Android Mobile App", "Podverse", "mobile"),
        ("iHeartRadio/10.4 (Android 13)", "iHeart", "mobile"),
        ("TuneIn Radio/24.2 (Linux;Android 10) ExoPlayerLib/2.11.4", "TuneIn", "mobile"),
        ("Downcast/2.9.64 (iPhone; iOS 16)", "Downcast", "mobile"),
        ("gPodder/3.11.0 (+http://gpodder.org/) Linux", "gPodder", "computer"),
        ("VLC/3.0.18 LibVLC/3.0.18", "VLC", ""),
        ("Tweetbot/53300 CFNetwork/1335.0.3 Darwin/21.6.0", "Tweetbot", "mobile"),
        ("AlexaMediaPlayer/1.2 (Linux;Android 5.1.1) ExoPlayerLib/1.5.9", "Alexa", "smart_speaker"),
    ],
)
def test_apps_are_known_by_name(agent: str, name: str, platform: str) -> None:
    found = classify(agent)

    assert (found.kind, found.name, found.platform) == (AgentKind.APP, name, platform)


@pytest.mark.parametrize(
    "agent",
    [
        "Spotify/1.0",
        "  Spotify/1.0\t",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        f"{WINDOWS} HeadlessChrome/119.0.0.0 Safari/537.36",
        "Mozilla/5.0 (compatible; PodSearcher/1.0; +https://podsearcher.example)",
        "Mozilla/5.0",
        "curl/8.5.0",
        "Wget/1.21.4",
        "Podget",
        "podcast-downloader/2.0",
        "Overcast/1.0 Podcast Sync (37 subscribers; feed-id=1; +http://overcast.fm/)",
        "ListenNotes/3.0",
        "GPTBot/1.2",
        "facebookexternalhit/1.1",
    ],
)
def test_bots_are_bots(agent: str) -> None:
    assert classify(agent).kind is AgentKind.BOT


@pytest.mark.parametrize(
    ("agent", "is_server"),
    [
        ("python-requests/2.31", True),
        ("Python/3.12 aiohttp/3.9.1", True),
        ("Go-http-client/1.1", True),
        ("okhttp/4.12.0", True),
        ("Lavf/60.3.100", True),
        ("Dalvik/2.1.0 (Linux; U; Android 13)", False),
        ("stagefright/1.2 (Linux;Android 7.0)", False),
    ],
)
def test_libraries_of_servers_are_marked(agent: str, is_server: bool) -> None:
    found = classify(agent)

    assert (found.kind, found.is_server_library) == (AgentKind.LIBRARY, is_server)


def test_apples_player_counts_as_an_unknown_apple_app() -> None:
    found = classify("AppleCoreMedia/1.0.0.20A362 (iPhone; U; CPU OS 16_0 like Mac OS X; en_us)")

    assert (found.kind, found.name, found.device) == (
        AgentKind.LIBRARY,
        "Unknown Apple app",
        "iPhone",
    )
    assert not found.is_server_library


@pytest.mark.parametrize(
    ("agent", "name", "platform"),
    [
        (f"{WINDOWS} Chrome/130.0.0.0 Safari/537.36", "Chrome", "computer"),
        (f"{WINDOWS} Chrome/130.0.0.0 Safari/537.36 Edg/130.0", "Edge", "computer"),
        (f"{WINDOWS} Chrome/130.0.0.0 Safari/537.36 OPR/115.0", "Opera", "computer"),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
            "Firefox",
            "computer",
        ),
        (IPHONE_SAFARI, "Safari", "mobile"),
    ],
)
def test_browsers_are_told_apart(agent: str, name: str, platform: str) -> None:
    found = classify(agent)

    assert (found.kind, found.name, found.platform) == (AgentKind.BROWSER, name, platform)


def test_what_no_list_knows_is_unknown_but_may_have_a_device() -> None:
    found = classify("BrandNewPlayer/1.0 (iPad; iOS 18)")

    assert (found.kind, found.name, found.device) == (AgentKind.UNKNOWN, "", "iPad")


def test_patterns_never_see_more_than_the_beginning_of_an_agent() -> None:
    assert classify("x" * MAX_AGENT_LENGTH + " Googlebot").kind is AgentKind.UNKNOWN


def test_a_name_in_another_script_is_read_however_it_was_sent() -> None:
    agent = "播客/1709.2.2 CFNetwork/1390 Darwin/22.0.0"  # Apple Podcasts on a Chinese phone

    percent_encoded = "%E6%92%AD%E5%AE%A2/1709.2.2 CFNetwork/1390 Darwin/22.0.0"
    as_a_header = agent.encode().decode("latin-1")
    for sent in (agent, percent_encoded, as_a_header):
        assert classify(sent).name == "Apple Podcasts"
    assert classify("Caf\xe9 Player/1").kind is AgentKind.UNKNOWN


def write_lists(folder: Path, **entries: list[dict[str, str]]) -> None:
    """A folder in OPAWG's format."""
    for name in LIST_NAMES:
        found = {"entries": entries.get(name, [])}
        (folder / f"{name}.json").write_text(json.dumps(found))


def test_an_operators_lists_are_asked_before_ours(tmp_path: Path, settings: Settings) -> None:
    write_lists(
        tmp_path,
        bots=[{"name": "B", "pattern": "Both"}],
        apps=[
            {"name": "A", "pattern": "Both|^App$|Googlebot|^curl"},
            {"name": "Broken", "pattern": "("},
            {"name": "Slow", "pattern": "(a+)+$"},
        ],
        libraries=[
            {"name": "AppleCoreMedia", "pattern": "^AppleCoreMedia"},
            {"name": "S", "pattern": "Server", "category": "bot"},
        ],
        devices=[{"name": "Phone", "pattern": "App", "category": "mobile"}],
    )
    settings.USER_AGENTS = tmp_path

    assert classify("Both").kind is AgentKind.BOT
    assert (classify("App").name, classify("App").platform) == ("A", "mobile")
    assert classify("curl/8.5.0").name == "A"  # what they know is what they say
    assert classify("Server").is_server_library
    assert classify("AppleCoreMedia/1").name == "Unknown Apple app"
    assert classify("a" * 100).kind is AgentKind.UNKNOWN


def test_our_lists_know_what_an_operators_leave_open(tmp_path: Path, settings: Settings) -> None:
    write_lists(
        tmp_path,
        browsers=[{"name": "Anything that says Mozilla", "pattern": "^Mozilla/"}],
        devices=[{"name": "Desk", "pattern": "Windows", "category": "computer"}],
    )
    settings.USER_AGENTS = tmp_path

    # Unknown to theirs: ours, in the order of the rules.
    assert (classify("Overcast/3.0 (iPhone)").name, classify("curl/8.5.0").kind) == (
        "Overcast",
        AgentKind.BOT,
    )
    assert classify("Overcast/3.0 (iPhone)").device == "iPhone"
    # A browser by theirs: ours may say that it is a bot, and nothing else.
    assert classify(f"{WINDOWS} HeadlessChrome/119.0.0.0 Safari/537.36").kind is AgentKind.BOT
    chrome = classify(f"{WINDOWS} Chrome/130.0.0.0 Safari/537.36")
    assert (chrome.name, chrome.device) == ("Anything that says Mozilla", "Desk")


def test_a_missing_list_of_the_operator_is_an_error(tmp_path: Path, settings: Settings) -> None:
    settings.USER_AGENTS = tmp_path / "nowhere"

    with pytest.raises(FileNotFoundError):
        classify("App")


def test_a_process_takes_new_lists_without_a_restart(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lists(tmp_path, apps=[{"name": "First", "pattern": "^Tide"}])
    settings.USER_AGENTS = tmp_path
    monkeypatch.setattr(current, "LOOK_EVERY_SECONDS", 3600.0)
    assert classify("Tide/1").name == "First"

    write_lists(tmp_path, apps=[{"name": "The second", "pattern": "^Tide"}])
    assert classify("Tide/1").name == "First"  # it is not yet time to look

    monkeypatch.setattr(current, "monotonic", lambda: monotonic() + 3601.0)
    assert classify("Tide/1").name == "The second"


def test_lists_that_break_while_a_process_runs_change_nothing(
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    write_lists(tmp_path, apps=[{"name": "First", "pattern": "^Tide"}])
    settings.USER_AGENTS = tmp_path
    monkeypatch.setattr(current, "LOOK_EVERY_SECONDS", 0.0)
    assert classify("Tide/1").name == "First"

    (tmp_path / "apps.json").write_text('{"entries": [')
    assert [classify("Tide/1").name for _ in range(3)] == ["First"] * 3
    assert sum("kept the lists from before" in message for message in caplog.messages) == 1

    write_lists(tmp_path, apps=[{"name": "Mended", "pattern": "^Tide"}])
    assert classify("Tide/1").name == "Mended"

"""The demo: complete after one run, untouched by the next, finished after an interrupted one."""

import json
import stat
from collections.abc import Callable
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client

from apps.accounts.models import User
from apps.core.clock import now
from podcasts import demo, demo_audio
from podcasts.demo import seed_demo
from podcasts.models import Episode, Show
from tests.factories import ShowFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_valkey"),
]

# The real files, but composed and encoded once for all tests of this module.
_rendered = cache(demo_audio.render_episode)


@pytest.fixture(autouse=True)
def _render_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "render_episode", _rendered)


@pytest.fixture
def _two_episodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough for what isn't about their number."""
    monkeypatch.setattr(demo, "NUMBERS", (1, 2))


@pytest.fixture
def _no_episodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what is about people and files."""
    monkeypatch.setattr(demo, "NUMBERS", ())


def written() -> dict[str, list[dict[str, str]]]:
    """What the operator is told."""
    found: dict[str, list[dict[str, str]]] = json.loads(
        (Path(settings.DATA) / "demo.json").read_text()
    )
    return found


def passwords() -> dict[str, str]:
    return {person["email"]: person["password"] for person in written()["people"]}


def state() -> list[Any]:
    """Everything that a further run might spoil."""
    return [
        list(User.objects.order_by("pk").values_list("pk", "email", "password", "is_staff")),
        list(Show.objects.values_list("pk", "handle", "guid")),
        list(Episode.objects.order_by("pk").values_list("pk", "guid", "published_at", "audio")),
    ]


def test_one_run_makes_a_show_that_can_be_heard_and_people_who_can_sign_in() -> None:
    assert seed_demo() is True

    episodes = Episode.objects.published(now()).with_media()
    assert [episode.episode_number for episode in episodes] == [3, 2, 1]
    assert len({episode.published_at.date() for episode in episodes if episode.published_at}) == 3
    for episode in episodes:
        assert episode.audio is not None
        assert episode.audio.renditions.all()[0].duration_ms > 60_000
        assert episode.notes_html
    show = Show.objects.get(handle="demo")
    assert not show.is_artwork_generated
    for email, password in passwords().items():
        assert Client().login(email=email, password=password)
        assert EmailAddress.objects.get(email=email).verified
    assert User.objects.get(email=demo.ADMIN).is_staff
    assert not User.objects.get(email=demo.OWNER).is_staff


@pytest.mark.usefixtures("_two_episodes")
def test_the_owner_and_the_admin_reach_every_page_they_are_told_of() -> None:
    seed_demo()
    admin = Client()
    admin.force_login(User.objects.get(email=demo.ADMIN))

    # The feed is answered by the data plane, which has tests of its own.
    pages = [page["path"] for page in written()["pages"] if not page["path"].startswith("/feeds/")]

    assert {path: admin.get(path).status_code for path in pages} == dict.fromkeys(pages, 200)


@pytest.mark.usefixtures("_no_episodes")
def test_log_ins_are_for_the_operator_only() -> None:
    seed_demo()

    (found,) = Path(settings.DATA).glob("*demo*")
    assert stat.S_IMODE(found.stat().st_mode) == 0o600
    assert len(set(passwords().values())) == 2


@pytest.mark.usefixtures("_two_episodes")
def test_a_second_run_changes_nothing_and_asks_nothing(
    django_assert_num_queries: Callable[[int], Any],
) -> None:
    seed_demo()
    before, told = state(), written()

    with django_assert_num_queries(0):
        assert seed_demo() is False

    assert (state(), written()) == (before, told)


@pytest.mark.parametrize(
    "stopped_at", ["_show", "render_episode", "publish_episode", "_for_the_operator"]
)
@pytest.mark.usefixtures("_two_episodes")
def test_a_run_that_was_interrupted_is_completed_by_the_next(
    monkeypatch: pytest.MonkeyPatch, stopped_at: str
) -> None:
    real, calls = getattr(demo, stopped_at), []

    def stop_at_the_second(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        if len(calls) == 2 or stopped_at.startswith("_"):
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(demo, stopped_at, stop_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            seed_demo()
    assert not (Path(settings.DATA) / "demo.json").exists()
    people = set(User.objects.values_list("pk", flat=True))
    known = set(Episode.objects.values_list("pk", flat=True))

    seed_demo()

    assert set(User.objects.values_list("pk", flat=True)) == people
    assert known <= set(Episode.objects.values_list("pk", flat=True))
    assert Episode.objects.published(now()).count() == Episode.objects.count() == 2
    assert all(Client().login(email=email, password=pw) for email, pw in passwords().items())


@pytest.mark.usefixtures("_no_episodes")
def test_an_account_that_was_there_before_keeps_its_password_which_is_not_told() -> None:
    User.objects.create_user(demo.OWNER, "my own words")

    seed_demo()

    assert Client().login(email=demo.OWNER, password="my own words")
    assert set(passwords()) == {demo.ADMIN}


def test_the_command_says_why_there_can_be_no_demo() -> None:
    ShowFactory(handle="demo")

    with pytest.raises(CommandError, match="Another show has the handle"):
        call_command("seed_demo")


@pytest.mark.usefixtures("_no_episodes")
def test_the_command_says_where_the_log_ins_are() -> None:
    said = [StringIO(), StringIO()]
    for out in said:
        call_command("seed_demo", stdout=out)

    where = str(Path(settings.DATA) / "demo.json")
    assert [where in out.getvalue() for out in said] == [True, True]
    assert "already" in said[1].getvalue()

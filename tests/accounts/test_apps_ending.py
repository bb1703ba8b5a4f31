"""How an app of somebody else's is out: by the person, by itself, with the account."""

import base64
from io import StringIO
from threading import Thread
from typing import Any

import pytest
from allauth.idp.oidc import views
from allauth.idp.oidc.models import Client as App
from allauth.idp.oidc.models import Token as AppSecret
from asgiref.sync import sync_to_async
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client

from apps.accounts.bearers import _new_agreement
from apps.accounts.models import ApiToken
from apps.accounts.oauth import register_app
from apps.accounts.scopes import Scope
from apps.accounts.services import deactivate_person
from apps.accounts.tasks import forget_old_tokens
from apps.accounts.tokens import TokenRefusedError, revoke_token
from apps.core.clock import now
from hosting.live_streams import LiveStreams
from podcasts.models import Episode
from tests.accounts.caller import BACK, SHOWS, Caller
from tests.conftest import People
from tests.factories import EpisodeFactory, MembershipFactory
from tests.live.streaming import Stream, stream
from tests.live.test_streams import elsewhere
from tests.programs import ask, program

pytestmark = pytest.mark.usefixtures("clean_valkey")


def end_in_the_studio(people: People, caller: Caller) -> None:
    agreed = ApiToken.objects.get()
    people.client("editor").post(f"/studio/tokens/{agreed.pk}/revoke/")


def end_itself(people: People, caller: Caller) -> None:
    asking = program(caller.secrets["access_token"])
    (agreed,) = asking.get("/api/v1/tokens/").json()["results"]
    assert asking.delete(f"/api/v1/tokens/{agreed['id']}/").status_code == 204


def close_account(people: People, caller: Caller) -> None:
    deactivate_person(user=people.editor)


def remove_app(people: People, caller: Caller) -> None:
    call_command("oauth_app", remove=caller.app.pk, stdout=StringIO())


@pytest.mark.parametrize("happens", [end_in_the_studio, end_itself, close_account, remove_app])
def test_an_app_that_is_ended_is_out_at_once_and_for_good(
    people: People, caller: Caller, happens: Any
) -> None:
    asking = caller.get_in()
    assert ask(asking, SHOWS)[0] == 200
    happens(people, caller)
    assert ask(asking, SHOWS)[0] == 401
    assert caller.refresh().status_code in (400, 401)


def test_an_app_that_was_ended_may_be_let_in_again(people: People, caller: Caller) -> None:
    assert ask(caller.get_in(), SHOWS)[0] == 200
    end_in_the_studio(people, caller)
    assert ask(caller.get_in(), SHOWS)[0] == 200
    assert sorted(token.status(now()) for token in ApiToken.objects.all()) == ["active", "revoked"]


def test_ending_an_app_ends_no_other_and_nobody_elses(people: People, caller: Caller) -> None:
    other = register_app(name="Other", redirect_uris=[BACK], scopes=[Scope.READ, Scope.STATS])
    staying = [
        Caller(other, people.client("editor")).get_in(),
        Caller(caller.app, people.client("owner")).get_in(),
    ]
    leaving = caller.get_in()
    for asking in [*staying, leaving]:
        assert ask(asking, SHOWS)[0] == 200
    revoke_token(token=ApiToken.objects.get(client=caller.app, user=people.editor))
    assert [ask(asking, SHOWS)[0] for asking in [*staying, leaving]] == [200, 200, 401]


def test_an_app_that_comes_while_it_is_ended_is_not_let_in_anew(caller: Caller) -> None:
    caller.get_in()
    secret = AppSecret.objects.get(type="at")
    AppSecret.objects.all().delete()
    with pytest.raises(TokenRefusedError):
        _new_agreement(secret, ["read"])
    assert not ApiToken.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_app_that_is_ended_while_it_refreshes_stays_out(
    people: People, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(caller.get_in(), SHOWS)[0] == 200
    agreed, answer = ApiToken.objects.get(), views.token

    def end() -> None:
        revoke_token(token=agreed)
        connection.close()

    ending = Thread(target=end)

    def slow(request: Any) -> Any:
        """The secrets are made, but not committed yet, when the person ends the app."""
        with transaction.atomic():
            made = answer(request)
            ending.start()
            ending.join(timeout=0.5)
            assert ending.is_alive()
            return made

    monkeypatch.setattr(views, "token", slow)
    assert caller.refresh().status_code == 200
    ending.join(timeout=20)
    assert not AppSecret.objects.exists()
    assert ask(program(caller.secrets["access_token"]), SHOWS)[0] == 401


def give_up(caller: Caller, name: str = "refresh_token", **body: Any) -> Any:
    """The app signs itself off."""
    shown = {"client_id": caller.app.pk, "token": caller.secrets[name]}
    return Client().post("/oauth/revoke", shown | body)


def test_an_app_that_gives_up_its_refresh_token_is_out_at_once(
    people: People, caller: Caller
) -> None:
    asking, elsewhere = caller.get_in(), Caller(caller.app, people.client("owner")).get_in()
    assert ask(asking, SHOWS)[0] == ask(elsewhere, SHOWS)[0] == 200
    assert give_up(caller).status_code == 200
    assert [ask(asking, SHOWS)[0], ask(elsewhere, SHOWS)[0]] == [401, 200]
    assert ApiToken.objects.get(user=people.editor).status(now()) == "revoked"
    assert caller.get_in().get(SHOWS).status_code == 200  # and may be let in again


def test_another_device_of_the_app_gets_new_secrets(people: People, caller: Caller) -> None:
    other = Caller(caller.app, caller.browser)
    for one in (caller, other):
        assert ask(one.get_in(), SHOWS)[0] == 200
    give_up(caller)
    assert ask(program(other.secrets["access_token"]), SHOWS)[0] == 401
    assert other.refresh().status_code == 200
    assert ask(program(other.secrets["access_token"]), SHOWS)[0] == 200
    assert ApiToken.objects.get().status(now()) == "active"


def test_a_refresh_token_that_stays_takes_nothing_with_it(caller: Caller) -> None:
    asking = caller.get_in()
    assert give_up(caller, token_type_hint="access_token").status_code == 200
    assert ask(asking, SHOWS)[0] == 200
    assert give_up(caller, "access_token").status_code == 200
    assert ask(asking, SHOWS)[0] == 401
    assert caller.refresh().status_code == 200


@pytest.mark.parametrize("address", ["/oauth/token", "/oauth/revoke"])
@pytest.mark.parametrize(
    ("query", "body", "headers"),
    [
        ("?client_secret=x", {}, {}),
        ("", {"client_secret": "x"}, {}),
        ("", {"client_secret": ""}, {}),
        ("", {}, {"Authorization": "Basic eDp5"}),
        ("", {"client_id": "a\0b"}, {}),
    ],
)
def test_no_secret_of_an_app_is_ever_looked_at(
    address: str,
    query: str,
    body: dict[str, str],
    headers: dict[str, str],
    caller: Caller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(App, "check_secret", lambda *_: pytest.fail("a slow hash"))
    caller.get_in()
    if "Authorization" in headers:
        basic = base64.b64encode(f"{caller.app.pk}:x".encode()).decode()
        headers = {"Authorization": f"Basic {basic}"}
    shown = {
        "client_id": caller.app.pk,
        "grant_type": "refresh_token",
        "refresh_token": caller.secrets["refresh_token"],
        "token": caller.secrets["refresh_token"],
    }
    refused = Client().post(address + query, shown | body, headers=headers)
    assert (refused.status_code, refused.json()) == (401, {"error": "invalid_client"})
    assert ("WWW-Authenticate" in refused) == bool(headers)
    assert caller.refresh().status_code == 200


@pytest.mark.parametrize("method", ["get", "post"])
def test_no_app_is_looked_for_by_a_name_that_no_database_takes(caller: Caller, method: str) -> None:
    refused = getattr(caller.browser, method)("/oauth/authorize?client_id=%00")
    assert refused.status_code == 400


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("happens", [end_in_the_studio, close_account])
def test_an_apps_open_stream_ends_at_once(
    people: People, caller: Caller, episode: Episode, happens: Any
) -> None:
    asking = caller.get_in()
    last: list[dict[str, Any]] = []

    async def talk(found: Stream) -> None:
        await found.event()
        await sync_to_async(happens)(people, caller)
        last.append(await found.event())

    target = f"/api/v1/shows/{episode.show_id}/live"
    assert stream(LiveStreams(elsewhere), asking, target, talk).is_over
    assert last[0]["type"] == "end"


def test_a_membership_that_ends_is_one_that_the_app_had(people: People, caller: Caller) -> None:
    asking = caller.get_in()
    second = MembershipFactory(user=people.editor, role="editor")
    show = EpisodeFactory(show__organization=second.organization).show
    assert ask(asking, f"{SHOWS}{show.pk}/") == (200, "")
    second.delete()
    assert ask(asking, f"{SHOWS}{show.pk}/") == (404, "not_found")


def test_secrets_that_had_their_time_are_forgotten(caller: Caller) -> None:
    caller.get_in()
    AppSecret.objects.filter(type="at").update(expires_at=now())
    forget_old_tokens()
    assert [secret.type for secret in AppSecret.objects.all()] == ["rt"]

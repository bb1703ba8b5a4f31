"""Apps of others: how a person lets one in by OAuth 2, what it may do then, and how it ends."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.idp.oidc import views
from allauth.idp.oidc.models import Client as App
from allauth.idp.oidc.models import Token as AppSecret
from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.bearers import _new_agreement
from apps.accounts.models import ApiToken
from apps.accounts.oauth import places_of, register_app
from apps.accounts.scopes import Scope
from apps.accounts.services import deactivate_person
from apps.accounts.tasks import forget_old_tokens
from apps.accounts.tokens import TokenRefusedError, revoke_token
from apps.core.clock import now
from hosting.live_streams import LiveStreams
from podcasts.models import Episode
from tests.conftest import People
from tests.factories import EpisodeFactory, MembershipFactory
from tests.live.streaming import Stream, stream
from tests.live.test_streams import elsewhere
from tests.programs import ask, new_upload, program, token_of_person

pytestmark = pytest.mark.usefixtures("clean_valkey")
BACK = "https://app.example/cb"
VERIFIER = "a-verifier-that-is-long-enough-to-be-accepted-by-rfc-7636"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode()[:-1]
SHOWS = "/api/v1/shows/"


@dataclass
class Caller:
    """An app, and the browser of a person who is signed in."""

    app: App
    browser: Client
    back: str = BACK
    secrets: dict[str, Any] = field(default_factory=dict)

    def question(self, **changes: Any) -> dict[str, Any]:
        """What the app leads the browser to the consent page with."""
        asked = {
            "client_id": self.app.pk,
            "response_type": "code",
            "redirect_uri": self.back,
            "scope": "read stats",
            "state": "abc",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | changes
        return {name: value for name, value in asked.items() if value is not None}

    def see(self, **changes: Any) -> Any:
        """The consent page, or what is answered instead."""
        return self.browser.get("/oauth/authorize", self.question(**changes))

    def answer(self, action: str = "grant", *scopes: str) -> dict[str, list[str]]:
        """What comes back to the app when the person has pressed a button."""
        page = self.see().content.decode()
        signed = re.search(r'name="request" value="([^"]+)"', page)
        assert signed is not None
        body = {"request": signed[1], "action": action, "scopes": scopes or ("read", "stats")}
        led = self.browser.post("/oauth/authorize", body)
        assert led.status_code == 302
        assert led.headers["Location"].startswith(self.back)
        return parse_qs(urlsplit(led.headers["Location"]).query)

    def change(self, **body: Any) -> Any:
        """Ask for secrets, from nobody's browser."""
        answer = Client().post("/oauth/token", {"client_id": self.app.pk} | body)
        if answer.status_code == 200:
            self.secrets = answer.json()
        return answer

    def get_in(self, *scopes: str) -> Client:
        """All of it; a program with the secret."""
        (code,) = self.answer("grant", *scopes)["code"]
        assert self.with_code(code).status_code == 200
        return program(self.secrets["access_token"])

    def with_code(self, code: str, verifier: str = VERIFIER) -> Any:
        """Ask for the first secrets."""
        return self.change(
            grant_type="authorization_code",
            code=code,
            redirect_uri=self.back,
            code_verifier=verifier,
        )

    def refresh(self) -> Any:
        """Ask for new ones."""
        return self.change(grant_type="refresh_token", refresh_token=self.secrets["refresh_token"])


@pytest.fixture
def caller(people: People) -> Caller:
    """An app that may ask for reading and figures, and the editor's browser."""
    app = register_app(name="Podgraph", redirect_uris=[BACK], scopes=[Scope.READ, Scope.STATS])
    return Caller(app, people.client("editor"))


@pytest.fixture
def episode(people: People) -> Episode:
    """A published episode of the organisation."""
    return EpisodeFactory(show__organization=people.organization)


def test_an_app_that_was_let_in_sees_what_the_person_sees(
    people: People, caller: Caller, episode: Episode
) -> None:
    asking = caller.get_in()
    assert asking.get(SHOWS).json() == people.client("editor").get(SHOWS).json()
    assert ask(asking, f"/api/v1/shows/{EpisodeFactory().show_id}/") == (404, "not_found")
    assert caller.secrets["expires_in"] == 3600


def test_an_app_has_the_scopes_that_the_person_left_it(caller: Caller, episode: Episode) -> None:
    asking = caller.get_in("stats")
    assert ask(asking, f"/api/v1/shows/{episode.show_id}/live/state/") == (200, "")
    assert ask(asking, SHOWS) == (403, "insufficient_scope")
    body = new_upload(episode.organization_id)
    assert ask(asking, "/api/v1/uploads/", "post", body) == (403, "insufficient_scope")


def test_two_live_secrets_of_an_app_do_not_take_turns_in_what_was_agreed_to(
    caller: Caller, episode: Episode
) -> None:
    first, second = caller.get_in("stats"), caller.get_in("read", "stats")
    state = f"/api/v1/shows/{episode.show_id}/live/state/"
    for asking in (first, second):
        assert ask(asking, state) == (200, "")
    with CaptureQueriesContext(connection) as queries:
        for asking in (first, second, first):
            assert ask(asking, state) == (200, "")
    written = [query["sql"] for query in queries if query["sql"].startswith("UPDATE")]
    assert not [sql for sql in written if '"scopes"' in sql]
    assert ApiToken.objects.get(client=caller.app.pk).scopes == ["read", "stats"]


def test_the_page_names_the_app_and_each_thing_that_it_asks_for(caller: Caller) -> None:
    page = caller.see().content.decode()
    assert "Let Podgraph work for you?" in page
    assert "See downloads, charts and live figures." in page
    assert "Send audio files" not in page


def test_whoever_is_not_signed_in_signs_in_first(caller: Caller) -> None:
    caller.browser = Client()
    assert caller.see().headers["Location"].startswith("/accounts/login/?next=/oauth/authorize")


def test_a_no_is_told_to_the_app(caller: Caller) -> None:
    assert caller.answer("cancel")["error"] == ["access_denied"]
    assert not AppSecret.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"prompt": "none"},
        {"prompt": "login none"},
        {"redirect_uri": "https://app.example.evil/cb"},
        {"redirect_uri": "https://app.example/other"},
        {"client_id": "nobody"},
    ],
)
def test_a_question_that_is_not_safe_leads_nowhere(caller: Caller, changes: dict[str, Any]) -> None:
    for browser in (caller.browser, Client()):
        caller.browser = browser
        answer = caller.see(**changes)
        assert not answer.headers.get("Location", "").startswith("http")
        assert b'name="request"' not in answer.content


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "read write"}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"response_type": "token"}, "unauthorized_client"),
    ],
)
def test_an_app_that_asks_for_too_much_is_told_so(
    caller: Caller, changes: dict[str, Any], error: str
) -> None:
    led = caller.see(**changes)
    assert parse_qs(urlsplit(led.headers["Location"]).query)["error"] == [error]


def test_a_code_is_good_once_and_for_who_asked(caller: Caller) -> None:
    (code,) = caller.answer()["code"]
    assert caller.with_code(code, verifier=VERIFIER[::-1]).status_code == 400
    assert caller.with_code(code).status_code == 200
    assert caller.with_code(code).status_code == 400


def test_an_app_renews_its_secret_and_stays_one_app(people: People, caller: Caller) -> None:
    first = caller.get_in()
    assert ask(first, SHOWS)[0] == 200
    used = caller.secrets["refresh_token"]
    AppSecret.objects.filter(type="at").update(expires_at=now() - timedelta(seconds=1))
    assert ask(first, SHOWS) == (401, "token_expired")
    assert caller.refresh().status_code == 200
    assert ask(program(caller.secrets["access_token"]), SHOWS) == (200, "")
    assert caller.change(grant_type="refresh_token", refresh_token=used).status_code == 400
    agreed = ApiToken.objects.get()
    assert (agreed.user, agreed.client, agreed.name) == (people.editor, caller.app, "Podgraph")
    assert agreed.last_used_at is not None


def test_a_refresh_token_opens_nothing(caller: Caller) -> None:
    caller.get_in()
    assert ask(program(caller.secrets["refresh_token"]), SHOWS) == (401, "invalid_token")


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


def test_an_address_that_asks_for_secrets_too_often_waits(settings: Any, caller: Caller) -> None:
    settings.API_RATE_OAUTH = 2
    for address in ("/oauth/token", "/oauth/revoke"):
        assert Client().post(address, {"client_id": caller.app.pk}).status_code == 400
    refused = Client().post("/oauth/token", {"client_id": caller.app.pk})
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 30
    other = Client(REMOTE_ADDR="192.0.2.7")
    assert other.post("/oauth/token", {"client_id": caller.app.pk}).status_code == 400


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


def test_an_app_makes_no_tokens_and_lets_no_other_in(caller: Caller) -> None:
    asking = caller.get_in()
    new = {"name": "A", "scopes": ["read"]}
    assert ask(asking, "/api/v1/tokens/", "post", new) == (403, "session_required")
    caller.browser = asking
    assert caller.see().headers["Location"].startswith("/accounts/login/")


def test_a_membership_that_ends_is_one_that_the_app_had(people: People, caller: Caller) -> None:
    asking = caller.get_in()
    second = MembershipFactory(user=people.editor, role="editor")
    show = EpisodeFactory(show__organization=second.organization).show
    assert ask(asking, f"{SHOWS}{show.pk}/") == (200, "")
    second.delete()
    assert ask(asking, f"{SHOWS}{show.pk}/") == (404, "not_found")


def test_the_studio_lists_apps_among_the_tokens(people: People, caller: Caller) -> None:
    ask(caller.get_in(), SHOWS)
    token_of_person(people.editor)
    page = people.client("editor").get("/studio/tokens/").content.decode()
    assert "Podgraph" in page
    assert page.count("An app, let in") == 1


def test_only_the_page_that_asks_may_lead_to_the_app(people: People, caller: Caller) -> None:
    found = re.search(r"form-action ([^;]+)", caller.see().headers["Content-Security-Policy"])
    assert found is not None
    assert found[1] == "'self' https://app.example"
    other = people.client("editor").get("/studio/tokens/").headers["Content-Security-Policy"]
    assert "app.example" not in other


def test_apps_learn_where_everything_is(caller: Caller) -> None:
    told = Client().get("/.well-known/oauth-authorization-server").json()
    assert told["authorization_endpoint"].startswith(told["issuer"])
    assert urlsplit(told["authorization_endpoint"]).path == "/oauth/authorize"
    assert told["code_challenge_methods_supported"] == ["S256"]
    for name in ("token_endpoint", "revocation_endpoint"):
        assert Client().post(urlsplit(told[name]).path).status_code in (400, 401)


def test_secrets_that_had_their_time_are_forgotten(caller: Caller) -> None:
    caller.get_in()
    AppSecret.objects.filter(type="at").update(expires_at=now())
    forget_old_tokens()
    assert [secret.type for secret in AppSecret.objects.all()] == ["rt"]


def test_an_app_on_ones_own_device_is_led_back_over_ipv6(people: People) -> None:
    """RFC 8252, 7.3; here with the port that was registered."""
    back = "http://[::1]:3000/cb"
    app = register_app(name="Podgraph", redirect_uris=[back], scopes=[Scope.READ, Scope.STATS])
    caller = Caller(app, people.client("editor"), back)
    assert ask(caller.get_in(), SHOWS) == (200, "")


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("https://app.example/cb", "https://app.example"),
        ("https://app.example:8443/cb?x=1", "https://app.example:8443"),
        ("http://localhost:3000/cb", "http://localhost:3000"),
        ("http://127.0.0.1/cb", "http://127.0.0.1"),
        ("http://[::1]:3000/cb", "http://*:3000"),  # CSP knows no IPv6
        ("http://[::1]/cb", "http://*"),
        ("com.example.app:/cb", "com.example.app:"),
        ("http://app.example/cb", ""),
        ("https://app.example/cb#part", ""),
        ("https://*.app.example/cb", ""),
        ("https:///cb", ""),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("/cb", ""),
        ("", ""),
    ],
)
def test_apps_are_led_back_to_safe_places_only(db: None, uri: str, place: str) -> None:
    if place:
        app = register_app(name="A", redirect_uris=[uri], scopes=[Scope.READ])
        assert places_of(app) == [place]
    else:
        with pytest.raises(ValidationError):
            register_app(name="A", redirect_uris=[uri], scopes=[Scope.READ])
        assert not App.objects.exists()


def test_operators_register_list_and_remove_apps(db: None) -> None:
    said = StringIO()
    call_command("oauth_app", "Podgraph", redirect_uri=[BACK], scopes=["stats"], stdout=said)
    app = App.objects.get()
    assert app.pk in said.getvalue()
    assert app.get_scopes() == ["stats"]
    listed = StringIO()
    call_command("oauth_app", stdout=listed)
    assert listed.getvalue() == f"{app.pk}  Podgraph  stats  {BACK}\n"
    with pytest.raises(CommandError):
        call_command("oauth_app", "Podgraph", redirect_uri=["http://app.example/"])
    with pytest.raises(CommandError):
        call_command("oauth_app", remove="nobody")
    call_command("oauth_app", remove=app.pk, stdout=said)
    assert not App.objects.exists()

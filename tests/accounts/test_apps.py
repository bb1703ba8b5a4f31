"""Apps of others: how a person lets one in by OAuth 2, and what it may do then."""

import re
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.idp.oidc.models import Client as App
from allauth.idp.oidc.models import Token as AppSecret
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import ApiToken
from apps.accounts.oauth import places_of, register_app
from apps.accounts.scopes import Scope
from apps.core.clock import now
from podcasts.models import Episode
from tests.accounts.caller import BACK, SHOWS, VERIFIER, Caller
from tests.conftest import People
from tests.factories import EpisodeFactory
from tests.programs import ask, new_upload, program, token_of_person

pytestmark = pytest.mark.usefixtures("clean_valkey")


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


def test_an_address_that_asks_for_secrets_too_often_waits(settings: Any, caller: Caller) -> None:
    settings.API_RATE_OAUTH = 2
    for address in ("/oauth/token", "/oauth/revoke"):
        assert Client().post(address, {"client_id": caller.app.pk}).status_code == 400
    refused = Client().post("/oauth/token", {"client_id": caller.app.pk})
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 30
    other = Client(REMOTE_ADDR="192.0.2.7")
    assert other.post("/oauth/token", {"client_id": caller.app.pk}).status_code == 400


def test_an_app_makes_no_tokens_and_lets_no_other_in(caller: Caller) -> None:
    asking = caller.get_in()
    new = {"name": "A", "scopes": ["read"]}
    assert ask(asking, "/api/v1/tokens/", "post", new) == (403, "session_required")
    caller.browser = asking
    assert caller.see().headers["Location"].startswith("/accounts/login/")


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

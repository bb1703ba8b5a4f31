"""API tokens over HTTP: what they open, what they are refused, and how they are made and ended."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern

from api.urls import urlpatterns
from apps.accounts.models import ApiToken
from apps.accounts.roles import Role
from apps.accounts.scopes import Scope
from apps.accounts.services import deactivate_person
from apps.accounts.tokens import revoke_token
from apps.core.clock import now
from apps.media.models import Asset, Upload
from podcasts.models import Episode
from tests.conftest import People
from tests.factories import EpisodeFactory, ShowFactory
from tests.programs import (
    UNKNOWN_SECRET,
    ask,
    new_upload,
    program,
    token_of_organization,
    token_of_person,
)
from tests.uploading import Sender

pytestmark = pytest.mark.usefixtures("clean_valkey")
TOKENS = "/api/v1/tokens/"


@pytest.fixture
def episode(people: People) -> Episode:
    """A published episode of the organisation."""
    return EpisodeFactory(show__organization=people.organization)


# --- Signing in -----------------------------------------------------------------------------------


def test_a_persons_token_reads_what_the_person_reads(people: People, episode: Episode) -> None:
    path = f"/api/v1/episodes/{episode.id}/"
    asked = program(token_of_person(people.analyst)[1]).get(path)
    assert asked.status_code == 200
    assert asked.json() == people.client("analyst").get(path).json()


def test_an_organisations_token_reads_what_its_role_reads(people: People, episode: Episode) -> None:
    asked = program(token_of_organization(people.organization, Role.ANALYST)[1])
    assert ask(asked, f"/api/v1/episodes/{episode.id}/") == (200, "")
    assert [show["id"] for show in asked.get("/api/v1/shows/").json()["results"]] == [
        str(episode.show_id)
    ]
    assert ask(asked, f"/api/v1/shows/{EpisodeFactory().show_id}/") == (404, "not_found")


def expired(token: ApiToken) -> None:
    ApiToken.objects.filter(pk=token.pk).update(expires_at=now() - timedelta(seconds=1))


def revoked(token: ApiToken) -> None:
    revoke_token(token=token)


def closed(token: ApiToken) -> None:
    assert token.user is not None
    deactivate_person(user=token.user)


@pytest.mark.parametrize(
    ("happens", "code"),
    [(expired, "token_expired"), (revoked, "token_revoked"), (closed, "account_inactive")],
)
def test_a_token_is_over_at_once_and_the_answer_says_why(
    people: People, episode: Episode, happens: Any, code: str
) -> None:
    token, secret = token_of_person(people.editor)
    asking, path = program(secret), f"/api/v1/episodes/{episode.id}/"
    assert ask(asking, path) == (200, "")
    happens(token)
    assert ask(asking, path) == (401, code)
    challenge = asking.get(path).headers["WWW-Authenticate"]
    assert challenge == 'Bearer realm="Longwave", error="invalid_token"'


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "not_authenticated"),
        ("Basic dXNlcjpwYXNzd29yZA==", "not_authenticated"),
        (UNKNOWN_SECRET, "not_authenticated"),  # no scheme
        ("Bearer", "invalid_token"),
        ("Bearer ", "invalid_token"),
        (f"Bearer {UNKNOWN_SECRET}", "invalid_token"),
        (f"Bearer {UNKNOWN_SECRET} x", "invalid_token"),
        ("Bearer lw_\N{LATIN SMALL LETTER O WITH DIAERESIS}", "invalid_token"),
    ],
    ids=["none", "basic", "no scheme", "no secret", "blank", "unknown", "two", "not ASCII"],
)
def test_without_good_credentials_the_answer_is_401_with_a_challenge(
    db: None, header: str, code: str
) -> None:
    answer = Client().get("/api/v1/shows/", headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="Longwave"')
    assert ("invalid_token" in answer.headers["WWW-Authenticate"]) is (code == "invalid_token")


@pytest.mark.parametrize("spelling", ["Bearer", "bearer", "BEARER"])
def test_the_schemes_name_may_be_spelt_in_any_case(people: People, spelling: str) -> None:
    secret = token_of_person(people.editor)[1]
    client = Client(headers={"Authorization": f"{spelling} {secret}"})
    assert ask(client, "/api/v1/shows/") == (200, "")


def test_a_bad_token_is_not_made_good_by_a_session(people: People) -> None:
    client = people.client("editor")
    answer = client.get("/api/v1/shows/", headers={"Authorization": f"Bearer {UNKNOWN_SECRET}"})
    assert answer.status_code == 401


def test_a_token_needs_no_csrf_token_and_a_session_does(people: People) -> None:
    body = new_upload(people.organization.id)
    assert ask(program(token_of_person(people.editor)[1]), "/api/v1/uploads/", "post", body) == (
        201,
        "",
    )
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(people.editor)
    assert ask(browser, "/api/v1/uploads/", "post", body) == (403, "permission_denied")


def test_a_token_opens_no_page(people: People) -> None:
    answer = program(token_of_person(people.editor)[1]).get("/studio/")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/login/")


def test_staffs_token_is_not_staff(people: People) -> None:
    secret = token_of_person(people.staff)[1]
    assert ask(people.client("staff"), "/api/v1/platform/live/state/")[0] == 200
    assert ask(program(secret), "/api/v1/platform/live/state/")[0] == 404


def test_using_a_token_is_noted(people: People) -> None:
    token, secret = token_of_person(people.editor)
    program(secret).get("/api/v1/shows/")
    token.refresh_from_db()
    assert token.last_used_at is not None


# --- Scopes ---------------------------------------------------------------------------------------


def needed(episode: Episode, organization_id: Any) -> list[tuple[str, str, Any, Scope]]:
    upload = new_upload(organization_id)
    own, show = f"/api/v1/episodes/{episode.id}/", f"/api/v1/shows/{episode.show_id}/"
    return [
        ("get", "/api/v1/shows/", None, Scope.READ),
        ("get", show, None, Scope.READ),
        ("get", own, None, Scope.READ),
        ("get", "/api/v1/episodes/", None, Scope.READ),
        ("get", f"{own}chapters/", None, Scope.READ),
        ("get", f"{show}seasons/", None, Scope.READ),
        ("post", "/api/v1/notes-preview/", {"notes": ""}, Scope.READ),
        ("patch", own, {"title": "Other"}, Scope.WRITE),
        ("delete", f"{own}artwork/", None, Scope.WRITE),
        ("delete", f"{own}audio/", None, Scope.WRITE),
        ("post", f"{own}unpublish/", {}, Scope.WRITE),
        ("post", f"{own}publish/", {}, Scope.WRITE),
        ("post", f"{own}restore/", {}, Scope.WRITE),
        (
            "post",
            f"{show}episodes/bulk/",
            {"action": "publish", "episodes": [str(episode.id)]},
            Scope.WRITE,
        ),
        (
            "post",
            f"{show}episodes/reorder/",
            {"season_number": None, "episodes": [str(episode.id)]},
            Scope.WRITE,
        ),
        ("get", f"{show}live/state/", None, Scope.STATS),
        ("get", f"{own}live/state/", None, Scope.STATS),
        ("post", "/api/v1/uploads/", upload, Scope.UPLOADS),
        ("get", f"/api/v1/organizations/{organization_id}/uploads/", None, Scope.UPLOADS),
        ("get", f"/api/v1/assets/{episode.audio_id}/", None, Scope.UPLOADS),
    ]


def test_each_kind_of_request_takes_its_own_scope_and_no_other(
    people: People, episode: Episode
) -> None:
    for method, path, body, wanted in needed(episode, people.organization.id):
        for scope in Scope:
            client = program(token_of_person(people.editor, [scope])[1])
            status, code = ask(client, path, method, body)
            if scope == wanted:
                assert (status < 300, code) == (True, ""), (method, path, scope)
            else:
                assert (status, code) == (403, "insufficient_scope"), (method, path, scope)


def test_a_missing_scope_is_named(people: People) -> None:
    answer = program(token_of_person(people.editor, [Scope.WRITE])[1]).get("/api/v1/shows/")
    assert "“read”" in answer.json()["detail"]
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge == 'Bearer realm="Longwave", error="insufficient_scope", scope="read"'


def test_only_tokens_own_addresses_take_any_scope(db: None) -> None:
    free = {
        pattern.name
        for pattern in urlpatterns
        if isinstance(pattern, URLPattern)
        and None in (_scope(pattern, "read_scope"), _scope(pattern, "write_scope"))
    }
    # The document is public: see the access matrix.
    own = {"me", "tokens", "token", "organization-tokens", "organization-token"}
    assert free == {*own, "schema"}


def _scope(pattern: URLPattern, name: str) -> Any:
    return getattr(pattern.callback.cls, name, "the usual one")  # type: ignore[attr-defined]


# --- One show -------------------------------------------------------------------------------------


@pytest.fixture(params=["person", "organization"])
def confined(request: pytest.FixtureRequest, people: People, episode: Episode) -> Client:
    """A program whose token is for the episode's show."""
    make = {
        "person": lambda: token_of_person(people.editor, show_id=episode.show_id),
        "organization": lambda: token_of_organization(people.organization, show_id=episode.show_id),
    }[request.param]
    return program(make()[1])


def test_a_token_for_one_show_reaches_no_other(
    people: People, episode: Episode, confined: Client
) -> None:
    other = EpisodeFactory(show__organization=people.organization)
    for path, mine, theirs in [
        ("shows/{}/", episode.show_id, other.show_id),
        ("shows/{}/episodes/", episode.show_id, other.show_id),
        ("episodes/{}/", episode.id, other.id),
        ("episodes/{}/live/state/", episode.id, other.id),
        ("episodes/{}/audio/", episode.id, other.id),
    ]:
        assert ask(confined, "/api/v1/" + path.format(mine)) == (200, ""), path
        assert ask(confined, "/api/v1/" + path.format(theirs)) == (404, "not_found"), path
    organization = f"/api/v1/organizations/{people.organization.id}/"
    assert ask(confined, f"{organization}live/state/") == (404, "not_found")
    listed = confined.get("/api/v1/shows/").json()["results"]
    assert [show["id"] for show in listed] == [str(episode.show_id)]


def test_a_token_for_one_show_replaces_its_audio_with_a_file_it_sent(
    people: People, episode: Episode, confined: Client
) -> None:
    sender = Sender(confined, people.organization.id, b"1234567890" * 10)
    assert sender.open().status_code == 201
    assert [reply.status for reply in sender.send()] == [200]
    assert sender.state()["status"] == "open"
    assert sender.complete(episode=str(episode.id)).status_code == 200
    episode.refresh_from_db()
    assert episode.incoming_audio == Asset.objects.get(upload_id=sender.upload["id"])


def test_a_token_for_one_show_uses_no_file_that_somebody_else_sent(
    people: People, episode: Episode, confined: Client
) -> None:
    theirs = Sender(people.client("editor"), people.organization.id, b"1234567890")
    theirs.open()
    theirs.send()
    upload = f"/api/v1/uploads/{theirs.upload['id']}/"
    assert ask(confined, upload)[0] == 404
    assert ask(confined, upload, "delete")[0] == 404
    assert ask(confined, f"{upload}complete/", "post", {"parts": theirs.claims()})[0] == 404
    asset = theirs.complete().json()["id"]
    audio = f"/api/v1/episodes/{episode.id}/audio/"
    assert ask(confined, audio, "post", {"asset": asset}) == (404, "not_found")


def test_a_token_for_one_show_sends_files_to_that_shows_organisation_only(
    people: People, confined: Client
) -> None:
    elsewhere = people.stranger.memberships.get()
    elsewhere.pk, elsewhere.user, elsewhere.role = None, people.editor, "editor"
    elsewhere.save()
    body = new_upload(elsewhere.organization_id)
    assert ask(people.client("editor"), "/api/v1/uploads/", "post", body)[0] == 201
    assert ask(confined, "/api/v1/uploads/", "post", body) == (404, "not_found")
    assert Upload.objects.count() == 1


def test_to_attach_a_file_takes_the_scope_to_write(people: People, episode: Episode) -> None:
    uploader = program(token_of_person(people.editor, [Scope.UPLOADS])[1])
    sender = Sender(uploader, people.organization.id, b"1234567890")
    sender.open()
    sender.send()
    refused = sender.complete(episode=str(episode.id))
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    assert Asset.objects.filter(upload_id=sender.upload["id"]).count() == 0
    assert sender.complete().status_code == 200


# --- Making and ending them -----------------------------------------------------------------------

NEW = {"name": "Deployment", "scopes": ["read", "stats"]}


def test_a_person_makes_a_token_whose_secret_is_told_once(people: People) -> None:
    editor = people.client("editor")
    made = editor.post(TOKENS, NEW, content_type="application/json")
    assert made.status_code == 201
    body = made.json()
    secret = body.pop("secret")
    assert body["status"] == "active"
    assert (body["scopes"], body["show"], body["organization"]) == (["read", "stats"], None, None)
    assert secret.startswith(body["prefix"])
    assert made.headers["Cache-Control"] == "no-store"
    again = editor.get(made.headers["Location"])
    assert again.json() == body
    assert made.headers["ETag"] == again.headers["ETag"]
    assert secret not in editor.get(TOKENS).content.decode()
    assert ask(program(secret), "/api/v1/shows/") == (200, "")


def test_a_token_lasts_a_year_unless_said_otherwise(people: People) -> None:
    in_a_week = (now() + timedelta(days=7)).replace(microsecond=0)
    days = []
    for given in ({}, {"expires_at": in_a_week.isoformat()}, {"expires_at": None}):
        made = people.client("editor").post(TOKENS, NEW | given, content_type="application/json")
        until = made.json()["expires_at"]
        left = until and datetime.fromisoformat(until) - now()
        days.append(left and round(left / timedelta(days=1)))
    assert days == [365, 7, None]


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"name": ""}, "#/name"),
        ({"scopes": []}, "#/scopes"),
        ({"scopes": ["everything"]}, "#/scopes"),
        ({"expires_at": "2001-01-01T00:00Z"}, "#/expires_at"),
        ({"show": "00000000-0000-0000-0000-000000000007"}, "#/show"),
    ],
)
def test_a_wrong_value_is_named(people: People, wrong: dict[str, Any], pointer: str) -> None:
    for path in (TOKENS, f"/api/v1/organizations/{people.organization.id}/tokens/"):
        made = people.client("owner").post(path, NEW | wrong, content_type="application/json")
        assert made.status_code == 400, made.json()
        assert made.json()["errors"][0]["pointer"].startswith(pointer)
    assert not ApiToken.objects.exists()


def test_no_token_is_for_a_show_that_its_maker_does_not_see(people: People) -> None:
    foreign = EpisodeFactory().show
    ours = ShowFactory(organization=people.organization)
    organization = f"/api/v1/organizations/{people.organization.id}/tokens/"
    for path in (TOKENS, organization):
        found = {
            show.id: ask(people.client("owner"), path, "post", NEW | {"show": str(show.id)})
            for show in (foreign, ours)
        }
        assert found == {foreign.id: (400, "invalid"), ours.id: (201, "")}


@pytest.mark.parametrize("role", ["owner", "superadmin"])
def test_an_organisations_token_has_a_role_of_its_own(people: People, role: str) -> None:
    path = f"/api/v1/organizations/{people.organization.id}/tokens/"
    owner = people.client("owner")
    assert ask(owner, path, "post", NEW | {"role": role}) == (400, "invalid")
    made = owner.post(path, NEW, content_type="application/json").json()
    assert made["role"] == "editor"
    assert made["organization"] == str(people.organization.id)


def test_there_is_a_limit_as_of_webhooks(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.accounts.tokens.MAX_TOKENS", 1)
    for path in (TOKENS, f"/api/v1/organizations/{people.organization.id}/tokens/"):
        answers = [ask(people.client("owner"), path, "post", NEW) for _ in range(2)]
        assert answers == [(201, ""), (409, "limit_reached")]


def test_a_token_that_changed_meanwhile_is_not_revoked(people: People) -> None:
    mine, _ = token_of_person(people.owner)
    ours, _ = token_of_organization(people.organization)
    owner = people.client("owner")
    organization = f"/api/v1/organizations/{people.organization.id}/tokens/"
    for token, address in ((mine, f"{TOKENS}{mine.id}/"), (ours, f"{organization}{ours.id}/")):
        seen = owner.get(address)["ETag"]
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now())
        late = owner.delete(address, headers={"If-Match": seen})
        assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile")
        fresh = owner.get(address)["ETag"]
        assert owner.delete(address, headers={"If-Match": fresh}).status_code == 204


def test_a_token_makes_no_tokens(people: People) -> None:
    organization = f"/api/v1/organizations/{people.organization.id}/tokens/"
    for _, secret in (
        token_of_person(people.owner),
        token_of_person(people.owner, [Scope.READ]),
        token_of_organization(people.organization, Role.ADMIN),
    ):
        client = program(secret)
        assert ask(client, organization, "post", NEW) == (403, "session_required")
        assert ask(client, TOKENS, "post", NEW) == (403, "session_required")
    assert ApiToken.objects.count() == 3


@pytest.mark.parametrize("scope", Scope)
def test_a_token_sees_and_ends_itself_whatever_its_scope(people: People, scope: Scope) -> None:
    token_of_person(people.editor)
    for token, secret in (
        token_of_person(people.editor, [scope]),
        token_of_organization(people.organization, scopes=[scope]),
    ):
        client = program(secret)
        assert [found["id"] for found in client.get(TOKENS).json()["results"]] == [str(token.id)]
        assert ask(client, f"{TOKENS}{token.id}/") == (200, "")
        assert ask(client, f"{TOKENS}{token.id}/", "delete") == (204, "")
        assert ask(client, TOKENS) == (401, "token_revoked")


def test_a_token_ends_no_other(people: People) -> None:
    mine, _ = token_of_person(people.owner)
    ours, _ = token_of_organization(people.organization)
    organization = f"/api/v1/organizations/{people.organization.id}/tokens/"
    for secret in (
        token_of_person(people.owner)[1],
        token_of_organization(people.organization, Role.ADMIN)[1],
    ):
        client = program(secret)
        assert ask(client, f"{TOKENS}{mine.id}/", "delete")[0] == 404
        assert ask(client, f"{organization}{ours.id}/", "delete") == (403, "session_required")
    assert not ApiToken.objects.exclude(revoked_at=None).exists()


def test_a_person_ends_their_own_tokens_and_an_admin_the_organisations(people: People) -> None:
    mine, my_secret = token_of_person(people.admin)
    ours, our_secret = token_of_organization(people.organization)
    admin = people.client("admin")
    organization = f"/api/v1/organizations/{people.organization.id}/tokens/"
    assert ask(people.client("owner"), f"{TOKENS}{mine.id}/", "delete")[0] == 404
    assert ask(people.client("stranger"), f"{organization}{ours.id}/", "delete")[0] == 404
    assert ask(admin, f"{TOKENS}{mine.id}/", "delete")[0] == 204
    assert ask(admin, f"{organization}{mine.id}/", "delete")[0] == 404
    assert ask(admin, f"{organization}{ours.id}/", "delete")[0] == 204
    assert {ask(program(s), TOKENS)[1] for s in (my_secret, our_secret)} == {"token_revoked"}
    assert admin.get(f"{organization}{ours.id}/").json()["status"] == "revoked"

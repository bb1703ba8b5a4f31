"""Shows over HTTP: made, pictured, deleted, restored; their handles and feeds."""

from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from PIL import Image as Pictures
from pytest_django import DjangoCaptureOnCommitCallbacks

from apps.accounts.roles import Role
from apps.accounts.scopes import Scope
from apps.core.clock import now
from apps.media.images import LARGEST_FILE
from podcasts.categories import all_keys
from podcasts.feeds.publish import refresh_feed
from podcasts.models import FeedDocument, Handle, Show
from podcasts.services.trash import delete_show
from tests.conftest import People
from tests.factories import EpisodeFactory, ImageFactory, ShowFactory
from tests.programs import ask, program, token_of_organization, token_of_person

pytestmark = pytest.mark.usefixtures("clean_valkey")

WISH = {
    "title": "Night Signals",
    "description": "Stories from the night shift.",
    "language": "en-gb",
    "category": "Society & Culture/Documentary",
    "time_zone": "Europe/Berlin",
}


@pytest.fixture
def show(people: People) -> Show:
    found: Show = ShowFactory(organization=people.organization, handle="ours", title="Ours")
    return found


def shows_path(people: People) -> str:
    return f"/api/v1/organizations/{people.organization.id}/shows/"


def path(show: Show, suffix: str = "") -> str:
    return f"/api/v1/shows/{show.id}/{suffix}"


def make(people: People, client: Client, **wish: Any) -> Any:
    return client.post(shows_path(people), WISH | wish, content_type="application/json")


# --- Making ---------------------------------------------------------------------------------------


def test_a_show_is_made_with_what_the_studio_would_propose(people: People) -> None:
    answer = make(people, people.client("admin"))
    assert answer.status_code == 201
    body, made = answer.json(), Show.objects.get()
    assert (body["handle"], body["category"]) == ("night-signals", WISH["category"])
    assert (body["author"], body["owner_name"]) == ("Radio Ours", people.admin.name)
    assert body["owner_email"] == people.admin.email
    assert body["is_artwork_generated"] is True
    assert body["organization"] == str(people.organization.id)
    assert answer["Location"] == path(made)
    read = people.client("admin").get(path(made))
    assert (read.json(), read["ETag"]) == (body, answer["ETag"])


def test_what_is_said_wins_over_what_is_proposed(people: People) -> None:
    own = {"handle": "signals", "author": "Ada", "owner_name": "", "owner_email": ""}
    body = make(people, people.client("owner"), **own).json()
    assert {name: body[name] for name in own} == own


def test_a_machine_makes_a_show_in_nobodys_name(people: People) -> None:
    client = program(token_of_organization(people.organization, Role.ADMIN)[1])
    body = make(people, client).json()
    assert (body["author"], body["owner_name"], body["owner_email"]) == ("Radio Ours", "", "")


@pytest.mark.parametrize(
    ("spoiled", "pointer", "code"),
    [
        ({"handle": "taken"}, "#/handle", "handle_taken"),
        ({"handle": "api"}, "#/handle", "handle_reserved"),
        ({"title": "夜"}, "#/handle", "required"),
        ({"category": "Things"}, "#/category", "category_unknown"),
        ({"time_zone": "Mars/Base"}, "#/time_zone", "time_zone_unknown"),
        ({"delivery": "cdn"}, "#/delivery", "delivery_impossible"),
        ({"title": ""}, "#/title", "blank"),
    ],
)
def test_what_can_be_no_show_is_refused_by_field(
    people: People, spoiled: dict[str, str], pointer: str, code: str
) -> None:
    ShowFactory(handle="taken")
    answer = make(people, people.client("owner"), **spoiled)
    assert answer.status_code == 400
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [(pointer, code)]
    assert Show.objects.count() == 1


@pytest.mark.parametrize(
    ("persona", "expected"),
    [
        ("admin", (201, "")),
        ("editor", (403, "permission_denied")),
        ("stranger", (404, "not_found")),
        ("anonymous", (401, "not_authenticated")),
    ],
)
def test_admins_make_shows(people: People, persona: str, expected: tuple[int, str]) -> None:
    assert ask(people.client(persona), shows_path(people), "post", WISH) == expected
    assert Show.objects.exists() is (expected[0] == 201)


def test_tokens_make_shows_where_their_role_and_scopes_reach(people: People, show: Show) -> None:
    refused = {
        token_of_organization(people.organization, Role.EDITOR)[1]: (403, "permission_denied"),
        token_of_person(people.owner, [Scope.READ])[1]: (403, "insufficient_scope"),
        token_of_person(people.owner, show_id=show.id)[1]: (404, "not_found"),
        token_of_person(people.stranger)[1]: (404, "not_found"),
    }
    for secret, expected in refused.items():
        assert ask(program(secret), shows_path(people), "post", WISH) == expected
    allowed = program(token_of_person(people.owner, [Scope.WRITE])[1])
    assert ask(allowed, shows_path(people), "post", WISH) == (201, "")


def test_an_organisations_list_holds_its_own_shows(people: People, show: Show) -> None:
    ShowFactory()
    rows = people.client("analyst").get(shows_path(people)).json()["results"]
    assert [row["id"] for row in rows] == [str(show.id)]


# --- Deleting and restoring -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", (409, "confirmation_required")),
        ("?confirm=other", (409, "not_the_handle")),
        ("?confirm=", (409, "not_the_handle")),
        ("?confrim=ours", (400, "invalid")),
        ("?confirm=ours", (204, "")),
    ],
)
def test_a_show_with_episodes_goes_only_when_its_handle_is_named(
    people: People, show: Show, query: str, expected: tuple[int, str]
) -> None:
    EpisodeFactory(show=show)
    assert ask(people.client("admin"), path(show, query), "delete") == expected
    show.refresh_from_db()
    assert (show.deleted_at is not None) is (expected[0] == 204)


def test_an_empty_show_goes_without_a_question(people: People, show: Show) -> None:
    EpisodeFactory(show=show, deleted_at=now())
    assert ask(people.client("admin"), path(show), "delete") == (204, "")


@pytest.mark.parametrize(
    ("persona", "expected"),
    [
        ("admin", (200, "")),
        ("editor", (403, "permission_denied")),
        ("stranger", (404, "not_found")),
        ("anonymous", (401, "not_authenticated")),
    ],
)
def test_admins_restore_shows_and_twice_is_no_error(
    people: People, show: Show, persona: str, expected: tuple[int, str]
) -> None:
    delete_show(show=show)
    client = people.client(persona)
    assert ask(client, path(show, "restore/"), "post") == expected
    assert ask(client, path(show, "restore/"), "post") == expected
    show.refresh_from_db()
    assert (show.deleted_at is None) is (persona == "admin")


def test_a_token_for_one_show_restores_that_one(people: People, show: Show) -> None:
    other = ShowFactory(organization=people.organization, deleted_at=now())
    delete_show(show=show)
    client = program(token_of_person(people.owner, show_id=show.id)[1])
    assert ask(client, path(other, "restore/"), "post") == (404, "not_found")
    assert ask(client, path(show, "restore/"), "post") == (200, "")


# --- Artwork --------------------------------------------------------------------------------------


def picture(side: int, kind: str = "PNG") -> bytes:
    buffer = BytesIO()
    Pictures.new("RGB", (side, side), "tomato").save(buffer, kind)
    return buffer.getvalue()


def as_form(content: bytes) -> dict[str, Any]:
    file = SimpleUploadedFile("cover.png", content, "image/png")
    return {
        "data": encode_multipart(BOUNDARY, {"artwork": file}),
        "content_type": MULTIPART_CONTENT,
    }


def as_body(content: bytes) -> dict[str, Any]:
    return {"data": content, "content_type": "image/png"}


@pytest.mark.parametrize("sent", [as_form, as_body])
def test_a_cover_is_sent_and_drawn_again(people: People, show: Show, sent: Any) -> None:
    client, address = people.client("admin"), path(show, "artwork/")
    answer = client.put(address, **sent(picture(1400)))
    assert (answer.status_code, answer.json()["is_artwork_generated"]) == (200, False)
    show.refresh_from_db()
    assert show.artwork.width == 1400
    drawn = client.delete(address)
    assert (drawn.status_code, drawn.json()["is_artwork_generated"]) == (200, True)
    assert drawn.json()["artwork_url"] != answer.json()["artwork_url"]
    assert client.delete(address).json()["artwork_url"] == drawn.json()["artwork_url"]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (as_body(picture(500)), (400, "too-small")),
        (as_body(b"no picture"), (400, "not-a-picture")),
        (as_body(b""), (400, "")),
        (as_form(b"no picture"), (400, "not-a-picture")),
        (as_body(b"x" * (LARGEST_FILE + 1)), (413, "")),
        (as_form(b"x" * (LARGEST_FILE + 1)), (413, "")),
        ({"data": "{}", "content_type": "application/json"}, (415, "")),
    ],
    ids=["small", "text", "empty", "form of text", "large", "large form", "json"],
)
def test_what_can_be_no_cover_is_refused(
    people: People, show: Show, sent: dict[str, Any], expected: tuple[int, str]
) -> None:
    answer = people.client("admin").put(path(show, "artwork/"), **sent)
    status, code = expected
    assert answer.status_code == status, answer.content
    if code:
        assert [error["code"] for error in answer.json()["errors"]] == [code]
    before = show.artwork_id
    show.refresh_from_db()
    assert show.artwork_id == before


@pytest.mark.parametrize(
    ("persona", "status"), [("editor", 403), ("stranger", 404), ("anonymous", 401)]
)
def test_admins_change_covers(people: People, show: Show, persona: str, status: int) -> None:
    client, address = people.client(persona), path(show, "artwork/")
    assert client.put(address, **as_body(picture(1400))).status_code == status
    assert client.delete(address).status_code == status


def test_a_cover_of_a_show_that_changed_meanwhile_stays(people: People, show: Show) -> None:
    client = people.client("admin")
    seen = {"If-Match": client.get(path(show))["ETag"]}
    Show.objects.update(artwork=ImageFactory(organization=people.organization))
    for method, sent in (("put", as_body(picture(1400))), ("delete", {})):
        answer = getattr(client, method)(path(show, "artwork/"), headers=seen, **sent)
        assert answer.status_code == 412


# --- Handles --------------------------------------------------------------------------------------


def test_handles_are_listed_former_ones_included(people: People, show: Show) -> None:
    client = people.client("admin")
    client.patch(path(show), {"handle": "renamed"}, content_type="application/json")
    rows = people.client("analyst").get(path(show, "handles/")).json()["results"]
    assert [(row["handle"], row["is_current"]) for row in rows] == [
        ("renamed", True),
        ("ours", False),
    ]
    assert rows[1]["feed_url"].endswith("/feeds/ours.xml")
    assert ask(people.client("stranger"), path(show, "handles/")) == (404, "not_found")


@pytest.mark.parametrize(
    ("query", "handle", "reason"),
    [
        ("handle=free", "free", None),
        ("title=Night+Signals!", "night-signals", None),
        ("title=Ours", "ours", "handle_taken"),
        ("handle=api", "api", "handle_reserved"),
        ("handle=Not+So", "Not So", "invalid"),
        ("handle=a%00b", "a\0b", "invalid"),
        ("title=%E5%A4%9C", "", "required"),
        ("handle=", "", "required"),
    ],
)
def test_whether_a_handle_is_free_is_told(
    people: People, show: Show, query: str, handle: str, reason: str | None
) -> None:
    body = people.client("stranger").get(f"/api/v1/handles/check/?{query}").json()
    assert (body["handle"], body["is_available"]) == (handle, reason is None)
    assert (body["reason"] or {}).get("code") == reason


def test_a_show_may_have_its_own_handles_again(people: People, show: Show) -> None:
    Handle.objects.create(handle="former", show=show)
    query = f"/api/v1/handles/check/?handle=former&show={show.id}"
    assert people.client("analyst").get(query).json()["is_available"] is True
    assert ask(people.client("stranger"), query) == (404, "not_found")


@pytest.mark.parametrize("query", ["", "handle=a&title=b", "handle=a&show=ours", "name=a"])
def test_a_check_of_nothing_is_refused(people: People, query: str) -> None:
    answer = ask(people.client("owner"), f"/api/v1/handles/check/?{query}")
    assert answer == (400, "invalid")


# --- Feeds and vocabularies -----------------------------------------------------------------------


def test_the_state_of_a_feed_is_told_without_reading_it(
    people: People,
    show: Show,
    django_assert_num_queries: Any,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    client = people.client("analyst")
    assert client.get(path(show, "feed/")).json() == {
        "url": "http://localhost:8000/feeds/ours.xml",
        "etag": None,
        "modified_at": None,
        "size_bytes": None,
        "gzipped_bytes": None,
        "is_stale": False,
        "stale_since": None,
    }
    with django_capture_on_commit_callbacks(execute=True):
        refresh_feed(show.id)
    stored = FeedDocument.objects.get()
    Show.objects.update(feed_stale_since=now())
    with django_assert_num_queries(5):  # session, user, show, membership, document
        body = client.get(path(show, "feed/")).json()
    assert (body["size_bytes"], body["gzipped_bytes"]) == (len(stored.xml), len(stored.gzipped))
    assert body["is_stale"] is True
    assert ask(people.client("stranger"), path(show, "feed/")) == (404, "not_found")


def test_vocabularies_hold_what_services_accept_and_may_be_kept(people: People) -> None:
    client = people.client("stranger")
    answer = client.get("/api/v1/vocabularies/")
    body = answer.json()
    groups = [(main, *main["subcategories"]) for main in body["categories"]]
    assert {word["value"] for group in groups for word in group} == all_keys()
    assert [mode["value"] for mode in body["delivery_modes"]] == ["", "direct"]
    assert [role["value"] for role in body["roles"]] == ["analyst", "editor", "admin", "owner"]
    assert "Europe/Berlin" in body["time_zones"]
    assert {"value": "en-gb", "label": "English (United Kingdom)"} in body["languages"]
    assert answer["Cache-Control"] == "private, max-age=3600"
    again = client.get("/api/v1/vocabularies/", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


def test_ids_of_nothing_answer_as_those_of_others_do(people: People, show: Show) -> None:
    client = people.client("stranger")
    for suffix in ("feed/", "handles/"):
        answers = [client.get(f"/api/v1/shows/{key}/{suffix}") for key in (UUID(int=7), show.id)]
        assert answers[0].status_code == 404
        assert answers[0].content == answers[1].content

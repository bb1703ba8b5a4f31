"""Organisations over HTTP: founded, read, renamed; and who one is."""

import pytest
from django.test import Client

from apps.accounts.models import Membership, Organization
from apps.accounts.roles import Role
from apps.accounts.scopes import Scope
from tests.conftest import People
from tests.factories import MembershipFactory, OrganizationFactory, ShowFactory
from tests.programs import ask, program, token_of_organization, token_of_person

pytestmark = pytest.mark.usefixtures("clean_valkey")
LIST, ME = "/api/v1/organizations/", "/api/v1/me/"


def names(client: Client) -> list[str]:
    return [found["name"] for found in client.get(LIST).json()["results"]]


def test_the_list_holds_ones_own_by_name_with_ones_role(people: People) -> None:
    MembershipFactory(user=people.editor, organization__name="Airwaves", role="admin")
    OrganizationFactory(name="Nobody's")
    rows = people.client("editor").get(LIST).json()["results"]
    assert [(row["name"], row["role"]) for row in rows] == [
        ("Airwaves", "admin"),
        ("Radio Ours", "editor"),
    ]
    assert names(people.client("stranger")) == ["Elsewhere"]


def test_tokens_see_what_they_are_for(people: People) -> None:
    MembershipFactory(user=people.editor, organization__name="Airwaves")
    show = ShowFactory(organization=people.organization)
    assert names(program(token_of_person(people.editor)[1])) == ["Airwaves", "Radio Ours"]
    machine = program(token_of_organization(people.organization, Role.ADMIN)[1])
    assert machine.get(LIST).json()["results"][0]["role"] == "admin"
    assert names(machine) == ["Radio Ours"]
    assert names(program(token_of_person(people.editor, show_id=show.id)[1])) == []


def test_whoever_founds_one_owns_it(people: People) -> None:
    answer = people.client("analyst").post(LIST, {"name": "Mine"}, content_type="application/json")
    assert (answer.status_code, answer.json()["role"]) == (201, "owner")
    assert answer["Location"] == f"{LIST}{answer.json()['id']}/"
    founded = Organization.objects.get(name="Mine")
    assert Membership.objects.get(organization=founded).user == people.analyst


@pytest.mark.parametrize("spoiled", [{}, {"name": ""}, {"name": "x" * 101}, {"name": "a\0b"}])
def test_one_without_a_proper_name_is_not_founded(people: People, spoiled: dict[str, str]) -> None:
    assert ask(people.client("owner"), LIST, "post", spoiled) == (400, "invalid")
    assert not Organization.objects.filter(memberships__user=people.owner).exclude(
        pk=people.organization.pk
    )


def test_founding_takes_a_person_with_all_that_is_theirs(people: People) -> None:
    show, wish = ShowFactory(organization=people.organization), {"name": "Mine"}
    refused = [
        token_of_organization(people.organization, Role.ADMIN),
        token_of_person(people.owner, show_id=show.id),
    ]
    for _, secret in refused:
        assert ask(program(secret), LIST, "post", wish) == (403, "person_required")
    reader = program(token_of_person(people.owner, [Scope.READ])[1])
    assert ask(reader, LIST, "post", wish) == (403, "insufficient_scope")
    assert ask(program(token_of_person(people.owner)[1]), LIST, "post", wish) == (201, "")


def test_a_repeated_founding_is_one(people: People) -> None:
    client, wish = people.client("owner"), {"name": "Mine"}
    answers = [
        client.post(
            LIST, wish, content_type="application/json", headers={"Idempotency-Key": "once"}
        )
        for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert answers[1]["Location"] == answers[0]["Location"]
    assert Organization.objects.filter(name="Mine").count() == 1


@pytest.mark.parametrize(
    ("persona", "expected"),
    [
        ("owner", (200, "")),
        ("admin", (403, "permission_denied")),
        ("analyst", (403, "permission_denied")),
        ("stranger", (404, "not_found")),
        ("staff", (404, "not_found")),
        ("anonymous", (401, "not_authenticated")),
    ],
)
def test_owners_rename(people: People, persona: str, expected: tuple[int, str]) -> None:
    path = f"{LIST}{people.organization.id}/"
    assert ask(people.client(persona), path, "patch", {"name": "New"}) == expected
    people.organization.refresh_from_db()
    assert people.organization.name == ("New" if persona == "owner" else "Radio Ours")


def test_no_organisations_token_renames(people: People) -> None:
    path, secret = f"{LIST}{people.organization.id}/", token_of_organization(people.organization)[1]
    assert ask(program(secret), path, "patch", {"name": "New"}) == (403, "permission_denied")


def test_a_name_that_changed_meanwhile_is_not_lost(people: People) -> None:
    client, path = people.client("owner"), f"{LIST}{people.organization.id}/"
    seen = {"If-Match": client.get(path)["ETag"]}
    first, second = (
        client.patch(path, {"name": name}, content_type="application/json", headers=seen)
        for name in ("First", "Second")
    )
    assert (first.status_code, second.status_code) == (200, 412)
    assert second.json()["code"] == "changed_meanwhile"
    assert client.get(path).json()["name"] == "First"
    assert client.get(path)["ETag"] == first["ETag"]


def test_pages_follow_each_other_by_name(people: People) -> None:
    for name in ("Beta", "Alpha", "Gamma"):
        MembershipFactory(user=people.owner, organization__name=name)
    client, seen, address = people.client("owner"), [], f"{LIST}?page_size=2&fields=name"
    while address:
        page = client.get(address).json()
        seen += page["results"]
        address = page["next"]
    assert [row["name"] for row in seen] == ["Alpha", "Beta", "Gamma", "Radio Ours"]
    assert set(seen[0]) == {"name"}


# --- Who one is -----------------------------------------------------------------------------------


def test_a_person_is_told_who_they_are(people: People) -> None:
    body = people.client("analyst").get(ME).json()
    assert body["person"] == {
        "id": str(people.analyst.id),
        "name": people.analyst.name,
        "email": people.analyst.email,
        "is_staff": False,
    }
    assert body["token"] is None
    assert body["scopes"] == ["read", "write", "stats", "uploads"]
    assert [(o["name"], o["role"]) for o in body["organizations"]] == [("Radio Ours", "analyst")]
    assert body["limits"]["requests"] == 1200


def test_a_token_is_told_what_it_is_whatever_it_may_do(people: People) -> None:
    token, secret = token_of_organization(people.organization, Role.EDITOR, [Scope.UPLOADS])
    body = program(secret).get(ME).json()
    assert body["person"] is None
    assert (body["token"]["id"], body["token"]["role"]) == (str(token.id), "editor")
    assert body["scopes"] == ["uploads"]
    assert secret not in str(body)
    show = ShowFactory(organization=people.organization)
    _, confined = token_of_person(people.editor, [Scope.STATS], show_id=show.id)
    body = program(confined).get(ME).json()
    assert body["person"]["id"] == str(people.editor.id)
    assert (body["token"]["show"], body["organizations"]) == (str(show.id), [])


def test_nobody_is_told_nothing(db: None) -> None:
    assert ask(Client(), ME) == (401, "not_authenticated")

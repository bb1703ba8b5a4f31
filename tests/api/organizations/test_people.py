"""Members and invitations over HTTP."""

import re
from contextlib import suppress
from datetime import timedelta
from threading import Barrier, BrokenBarrierError, Thread
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from pytest_django import Settings

from apps.accounts.invitations import invite
from apps.accounts.models import Invitation, Membership
from apps.accounts.roles import Role
from apps.accounts.services import change_role, remove_member
from apps.core.clock import now
from tests.conftest import People
from tests.factories import MembershipFactory, ShowFactory, UserFactory
from tests.programs import ask, program, token_of_organization, token_of_person

pytestmark = pytest.mark.usefixtures("clean_valkey")
ACCEPT = "/api/v1/invitations/accept/"
# Mails go out once the change is committed.
mailing = pytest.mark.django_db(transaction=True)


def path(people: People, suffix: str) -> str:
    return f"/api/v1/organizations/{people.organization.id}/{suffix}"


def member(people: People, name: str) -> Membership:
    return Membership.objects.get(organization=people.organization, user=getattr(people, name))


def member_path(people: People, name: str) -> str:
    return path(people, f"members/{member(people, name).pk}/")


def test_members_are_listed_with_their_roles(people: People) -> None:
    rows = people.client("analyst").get(path(people, "members/")).json()["results"]
    assert [row["role"] for row in rows] == ["analyst", "editor", "admin", "owner"]
    assert rows[0]["person"] == {
        "id": str(people.analyst.id),
        "name": people.analyst.name,
        "email": people.analyst.email,
    }


@pytest.mark.parametrize(
    ("query", "roles"),
    [
        ("role=admin", ["admin"]),
        ("ordering=-created_at", ["owner", "admin", "editor", "analyst"]),
        ("search=nobody-is-called-so", []),
    ],
)
def test_members_are_chosen_and_ordered(people: People, query: str, roles: list[str]) -> None:
    answer = people.client("owner").get(path(people, f"members/?{query}"))
    assert [row["role"] for row in answer.json()["results"]] == roles


def test_members_are_found_by_name_and_address(people: People) -> None:
    ada = UserFactory(name="Ada", email="lovelace@example.com")
    MembershipFactory(organization=people.organization, user=ada)
    for words in ("ada", "LOVELACE"):
        rows = people.client("owner").get(path(people, f"members/?search={words}")).json()
        assert [row["person"]["name"] for row in rows["results"]] == ["Ada"]


@pytest.mark.parametrize(
    ("actor", "target", "role", "expected"),
    [
        ("owner", "editor", "admin", (200, "")),
        ("admin", "editor", "analyst", (200, "")),
        ("admin", "editor", "owner", (403, "too_strong")),
        ("admin", "owner", "analyst", (403, "too_strong")),
        ("owner", "owner", "admin", (409, "last_owner")),
        ("owner", "editor", "emperor", (400, "invalid")),
        ("editor", "analyst", "editor", (403, "permission_denied")),
        ("stranger", "editor", "analyst", (404, "not_found")),
        ("staff", "editor", "analyst", (404, "not_found")),
        ("anonymous", "editor", "analyst", (401, "not_authenticated")),
    ],
)
def test_roles_are_given_by_those_who_may(
    people: People, actor: str, target: str, role: str, expected: tuple[int, str]
) -> None:
    before, address = member(people, target).role, member_path(people, target)
    assert ask(people.client(actor), address, "patch", {"role": role}) == expected
    assert member(people, target).role == (role if expected[0] == 200 else before)


def test_a_token_makes_nobody_more_than_an_editor(people: People) -> None:
    """One that was stolen would make itself last: by a member that nobody takes for a program."""
    for secret in (
        token_of_organization(people.organization, Role.ADMIN)[1],
        token_of_person(people.owner)[1],
    ):
        client, editor = program(secret), member_path(people, "editor")
        for role in ("analyst", "editor"):
            assert ask(client, editor, "patch", {"role": role}) == (200, "")
            wish = {"email": f"{role}@example.com", "role": role}
            assert ask(client, path(people, "invitations/"), "post", wish) == (201, "")
        for role in ("admin", "owner"):
            refused = (403, "session_required")
            assert ask(client, editor, "patch", {"role": role}) == refused
            wish = {"email": f"{role}@example.com", "role": role}
            assert ask(client, path(people, "invitations/"), "post", wish) == refused
    assert member(people, "editor").role == "editor"
    assert not Invitation.objects.filter(role__in=["admin", "owner"]).exists()


def test_an_organisations_admin_token_removes_nobody_above_it(people: People) -> None:
    client = program(token_of_organization(people.organization, Role.ADMIN)[1])
    assert ask(client, member_path(people, "owner"), "delete") == (403, "too_strong")
    assert ask(client, member_path(people, "analyst"), "delete") == (204, "")


def test_an_organisations_tokens_send_at_the_expense_of_who_made_them(
    people: People, settings: Settings
) -> None:
    settings.INVITATIONS_PER_HOUR = 2
    others = MembershipFactory(user=people.owner).organization
    tokens = [token_of_organization(one, Role.ADMIN)[1] for one in (people.organization, others)]
    codes = [
        ask(
            program(secret),
            f"/api/v1/organizations/{organization.pk}/invitations/",
            "post",
            {"email": f"new{number}@example.com", "role": "editor"},
        )
        for number in range(2)
        for secret, organization in zip(tokens, (people.organization, others), strict=True)
    ]
    assert codes == [(201, "")] * 2 + [(429, "too_many")] * 2
    wish = {"email": "new@example.com", "role": "editor"}
    invitations = path(people, "invitations/")
    assert ask(people.client("owner"), invitations, "post", wish) == (429, "too_many")
    assert ask(people.client("admin"), invitations, "post", wish) == (201, "")


def test_nobody_founds_any_number_of_organisations(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.accounts.services.FOUNDED_AN_HOUR", 2)
    client, address = people.client("owner"), "/api/v1/organizations/"
    program_of_owner = program(token_of_person(people.owner)[1])
    for asking in (client, program_of_owner):
        assert ask(asking, address, "post", {"name": "Another"}) == (201, "")
    for asking in (client, program_of_owner):
        assert ask(asking, address, "post", {"name": "Another"}) == (429, "too_many")
    before = Membership.objects.count()
    page = client.post("/studio/organization/new/", {"name": "Another"}, follow=True)
    assert "Try again later" in page.content.decode()
    monkeypatch.setattr("apps.accounts.services.MAX_OWNED", 3)
    assert ask(client, address, "post", {"name": "Another"}) == (409, "limit_reached")
    assert Membership.objects.count() == before


def invited(people: People, by: str, role: str) -> Invitation:
    """By mail, from one of the people."""
    wish = {"email": f"{role}-by-{by}@example.com", "role": role}
    assert ask(people.client(by), path(people, "invitations/"), "post", wish) == (201, "")
    return Invitation.objects.get(email=wish["email"])


def test_who_loses_a_role_has_invited_nobody_into_it(people: People) -> None:
    gone, stays = invited(people, "admin", "admin"), invited(people, "admin", "editor")
    others = invited(people, "owner", "admin")
    owner = people.client("owner")
    assert ask(owner, member_path(people, "admin"), "patch", {"role": "editor"}) == (200, "")
    left = set(Invitation.objects.values_list("pk", flat=True))
    assert gone.pk not in left
    assert left == {stays.pk, others.pk}
    assert ask(owner, member_path(people, "admin"), "delete") == (204, "")
    assert set(Invitation.objects.values_list("pk", flat=True)) == {others.pk}


def test_what_counts_is_the_role_that_one_has_under_the_lock(people: People) -> None:
    stale, target = member(people, "admin"), member(people, "editor")
    Membership.objects.filter(pk=stale.pk).update(role="editor")
    for act in (
        lambda: change_role(actor=stale, membership=target, role=Role.ANALYST),
        lambda: remove_member(actor=stale, membership=target),
        lambda: invite(actor=stale, email="new@example.com", role=Role.EDITOR),
    ):
        stale.role = "admin"  # as the door saw it
        with pytest.raises(PermissionDenied):
            act()
    Membership.objects.filter(pk=stale.pk).delete()
    with pytest.raises(PermissionDenied):
        change_role(actor=stale, membership=target, role=Role.ANALYST)
    assert member(people, "editor").role == "editor"
    owner, gone = member(people, "owner"), member(people, "analyst")
    Membership.objects.filter(pk=gone.pk).delete()
    with pytest.raises(ValidationError, match="no such member"):
        change_role(actor=owner, membership=gone, role=Role.EDITOR)


@pytest.mark.django_db(transaction=True)
def test_two_invitations_of_one_address_at_once_are_one(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[tuple[int, str]] = []
    together = Barrier(2)

    def meet(*_: Any) -> None:
        """Where both would be, if the second one didn't wait for the first."""
        with suppress(BrokenBarrierError):
            together.wait(0.5)

    monkeypatch.setattr("apps.accounts.invitations._spend_one", meet)

    def send(name: str) -> None:
        client = people.client(name)
        client.raise_request_exception = False
        wish = {"email": "new@example.com", "role": "editor"}
        try:
            answers.append(ask(client, path(people, "invitations/"), "post", wish))
        finally:
            connection.close()

    threads = [Thread(target=send, args=[name]) for name in ("owner", "admin")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    # The later one may find that its own was replaced before it was told.
    assert {status for status, _ in answers} <= {201, 404}
    assert Invitation.objects.count() == 1


def test_a_token_for_one_show_knows_no_members(people: People) -> None:
    show = ShowFactory(organization=people.organization)
    client = program(token_of_person(people.owner, show_id=show.id)[1])
    for suffix in ("", "members/", "invitations/", "trash/", "shows/"):
        assert ask(client, path(people, suffix)) == (404, "not_found")
    assert ask(client, member_path(people, "analyst"), "delete") == (404, "not_found")


@pytest.mark.parametrize(
    ("actor", "target", "expected"),
    [
        ("analyst", "analyst", (204, "")),
        ("admin", "editor", (204, "")),
        ("admin", "owner", (403, "too_strong")),
        ("owner", "owner", (409, "last_owner")),
        ("editor", "analyst", (403, "permission_denied")),
        ("stranger", "editor", (404, "not_found")),
    ],
)
def test_members_leave_or_are_removed(
    people: People, actor: str, target: str, expected: tuple[int, str]
) -> None:
    assert ask(people.client(actor), member_path(people, target), "delete") == expected
    left = Membership.objects.filter(organization=people.organization, user=getattr(people, target))
    assert left.exists() is (expected[0] != 204)


@pytest.mark.parametrize("number", [0, 2**31, 10**30])
def test_members_of_elsewhere_and_of_nowhere_are_not_found(people: People, number: int) -> None:
    foreign = MembershipFactory().pk
    for method, body in (("get", None), ("patch", {"role": "analyst"}), ("delete", None)):
        for key in (number, foreign):
            address = path(people, f"members/{key}/")
            assert ask(people.client("owner"), address, method, body) == (404, "not_found")
    assert Membership.objects.filter(pk=foreign).exists()


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_a_role_that_changed_meanwhile_is_not_changed_unseen(people: People, method: str) -> None:
    client, address = people.client("owner"), member_path(people, "editor")
    seen = client.get(address)["ETag"]
    Membership.objects.filter(user=people.editor).update(role="admin")
    answer = getattr(client, method)(
        address, {"role": "analyst"}, content_type="application/json", headers={"If-Match": seen}
    )
    assert (answer.status_code, answer.json()["code"]) == (412, "changed_meanwhile")
    assert member(people, "editor").role == "admin"


# --- Invitations ----------------------------------------------------------------------------------


def send(people: People, actor: str = "owner", **wish: str) -> Any:
    body = {"email": "new@example.com", "role": "editor"} | wish
    return people.client(actor).post(
        path(people, "invitations/"), body, content_type="application/json"
    )


def secret_in_mail() -> str:
    found = re.search(r"/invitations/(\S+)/", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


def accepted(client: Client, token: str) -> tuple[int, str]:
    return ask(client, ACCEPT, "post", {"token": token})


@mailing
def test_an_invitation_is_mailed_and_accepted(people: People) -> None:
    answer = send(people)
    assert answer.status_code == 201
    body = answer.json()
    assert (body["email"], body["role"]) == ("new@example.com", "editor")
    assert body["invited_by"]["id"] == str(people.owner.id)
    assert secret_in_mail() not in answer.content.decode()
    assert people.client("admin").get(answer["Location"]).json() == body
    newcomer = Client()
    newcomer.force_login(UserFactory())
    joined = newcomer.post(ACCEPT, {"token": secret_in_mail()}, content_type="application/json")
    assert (joined.status_code, joined.json()["role"]) == (200, "editor")
    assert joined.json()["name"] == "Radio Ours"
    assert accepted(newcomer, secret_in_mail()) == (200, "")  # again is no error
    second = Client()
    second.force_login(UserFactory())
    assert accepted(second, secret_in_mail()) == (409, "invitation_used")
    assert people.client("owner").get(path(people, "invitations/")).json()["results"] == []


@mailing
def test_joining_takes_a_person(people: People) -> None:
    send(people)
    machine = program(token_of_organization(people.organization, Role.ADMIN)[1])
    assert accepted(machine, secret_in_mail()) == (403, "person_required")
    assert accepted(Client(), secret_in_mail()) == (401, "not_authenticated")
    own = program(token_of_person(people.stranger)[1])
    assert accepted(own, secret_in_mail()) == (200, "")
    assert Membership.objects.filter(user=people.stranger).count() == 2


@mailing
def test_a_link_ends_with_its_time_and_when_it_is_withdrawn(people: People) -> None:
    client = people.client("stranger")
    assert accepted(client, "never sent") == (404, "invitation_over")
    address = send(people)["Location"]
    secret = secret_in_mail()
    with time_machine.travel(now() + timedelta(days=15)):
        late = Client()
        late.force_login(people.stranger)
        assert accepted(late, secret) == (404, "invitation_over")
    assert ask(people.client("admin"), address, "delete") == (204, "")
    assert ask(people.client("admin"), address, "delete") == (404, "not_found")
    assert accepted(client, secret) == (404, "invitation_over")


@mailing
@pytest.mark.parametrize(
    ("actor", "wish", "expected"),
    [
        ("admin", {"role": "admin"}, (201, "")),
        ("admin", {"role": "owner"}, (403, "too_strong")),
        ("owner", {"email": "no address"}, (400, "invalid")),
        ("owner", {"role": "emperor"}, (400, "invalid")),
        ("editor", {}, (403, "permission_denied")),
        ("stranger", {}, (404, "not_found")),
        ("anonymous", {}, (401, "not_authenticated")),
    ],
)
def test_admins_invite_into_roles_up_to_their_own(
    people: People, actor: str, wish: dict[str, str], expected: tuple[int, str]
) -> None:
    answer = send(people, actor, **wish)
    assert (answer.status_code, answer.json().get("code", "")) == expected
    assert len(mail.outbox) == (expected[0] == 201)


@mailing
def test_members_are_not_invited_again(people: People) -> None:
    answer = send(people, email=people.analyst.email.upper())
    assert (answer.status_code, answer.json()["code"]) == (409, "already_member")


@mailing
def test_nobody_sends_invitations_without_end(people: People, settings: Settings) -> None:
    settings.INVITATIONS_PER_HOUR = 1
    assert send(people).status_code == 201
    answer = send(people)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many")


@mailing
def test_a_mail_that_no_server_takes_invites_nobody(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise ConnectionRefusedError("no server")

    monkeypatch.setattr("apps.accounts.invitations.send_mail", refuse)
    answer = send(people)
    assert (answer.status_code, answer.json()["code"]) == (503, "not_sent")
    assert not Invitation.objects.exists()


def test_a_machine_invites_in_nobodys_name(people: People) -> None:
    client = program(token_of_organization(people.organization, Role.ADMIN)[1])
    body = {"email": "new@example.com", "role": "editor"}
    answer = client.post(path(people, "invitations/"), body, content_type="application/json")
    assert (answer.status_code, answer.json()["invited_by"]) == (201, None)


@mailing
def test_a_repeated_invitation_is_mailed_once(people: People) -> None:
    client, body = people.client("owner"), {"email": "new@example.com", "role": "editor"}
    for _ in range(2):
        answer = client.post(
            path(people, "invitations/"),
            body,
            content_type="application/json",
            headers={"Idempotency-Key": "once"},
        )
        assert answer.status_code == 201
    assert len(mail.outbox) == 1


@mailing
def test_a_mail_goes_out_after_the_commit_and_a_refused_one_frees_the_key(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = {"Idempotency-Key": "once"}
    client, body = people.client("owner"), {"email": "new@example.com", "role": "editor"}
    in_transaction: list[bool] = []

    def refuse(*args: object, **kwargs: object) -> None:
        in_transaction.append(connection.in_atomic_block)
        raise ConnectionRefusedError("no server")

    def ask_once() -> Any:
        return client.post(
            path(people, "invitations/"), body, content_type="application/json", headers=key
        )

    with monkeypatch.context() as patched:
        patched.setattr("apps.accounts.invitations.send_mail", refuse)
        answer = ask_once()
    assert (answer.status_code, answer.json()["code"]) == (503, "not_sent")
    assert in_transaction == [False]
    assert not Invitation.objects.exists()
    assert [ask_once().status_code for _ in range(2)] == [201, 201]
    assert len(mail.outbox) == 1

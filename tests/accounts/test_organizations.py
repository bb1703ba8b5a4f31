"""Members, roles and switching between organisations, through HTTP."""

import pytest
from django.test import Client

from apps.accounts.models import Membership, Organization
from apps.accounts.roles import Role
from tests.conftest import People
from tests.factories import MembershipFactory, UserFactory


@pytest.mark.parametrize(
    ("role", "needed", "is_enough"),
    [
        (Role.ANALYST, Role.ANALYST, True),
        (Role.ANALYST, Role.EDITOR, False),
        (Role.EDITOR, Role.ANALYST, True),
        (Role.ADMIN, Role.OWNER, False),
        (Role.OWNER, Role.ADMIN, True),
    ],
)
def test_a_role_includes_the_weaker_ones(role: Role, needed: Role, is_enough: bool) -> None:
    assert role.includes(needed) is is_enough


def member(people: People, name: str) -> Membership:
    return Membership.objects.get(organization=people.organization, user=getattr(people, name))


def change_role(people: People, actor: str, target: str, role: str) -> str:
    """What the target's role is after the actor tried to change it."""
    row = member(people, target)
    people.client(actor).post(f"/studio/organization/members/{row.pk}/role/", {"role": role})
    row.refresh_from_db()
    return row.role


@pytest.mark.parametrize(
    ("actor", "target", "role", "expected"),
    [
        ("owner", "editor", "admin", "admin"),
        ("owner", "admin", "owner", "owner"),
        ("admin", "editor", "analyst", "analyst"),
        ("admin", "editor", "owner", "editor"),  # stronger than their own
        ("admin", "owner", "analyst", "owner"),
        ("owner", "owner", "admin", "owner"),  # the last owner stays
        ("owner", "editor", "emperor", "editor"),
        ("editor", "analyst", "editor", "analyst"),
        ("stranger", "editor", "analyst", "editor"),
    ],
)
def test_roles_are_given_by_those_who_may(
    people: People, actor: str, target: str, role: str, expected: str
) -> None:
    assert change_role(people, actor, target, role) == expected


@pytest.mark.parametrize(
    ("actor", "target", "is_removed"),
    [
        ("owner", "editor", True),
        ("admin", "editor", True),
        ("admin", "owner", False),
        ("editor", "analyst", False),
        ("editor", "editor", True),  # leaving is everybody's right
        ("owner", "owner", False),  # but for the last owner
        ("stranger", "editor", False),
    ],
)
def test_members_are_removed_by_those_who_may(
    people: People, actor: str, target: str, is_removed: bool
) -> None:
    row = member(people, target)
    people.client(actor).post(f"/studio/organization/members/{row.pk}/remove/")
    assert Membership.objects.filter(pk=row.pk).exists() is not is_removed


def test_an_owner_may_step_down_when_there_is_another(people: People) -> None:
    MembershipFactory(organization=people.organization, role=Role.OWNER)
    assert change_role(people, "owner", "owner", "editor") == "editor"


def test_only_an_owner_renames(people: People) -> None:
    for name, is_done in [("admin", False), ("owner", True)]:
        people.client(name).post("/studio/organization/rename/", {"name": "Radio Theirs"})
        people.organization.refresh_from_db()
        assert (people.organization.name == "Radio Theirs") is is_done


def test_a_nameless_organisation_is_refused_with_the_form(people: People) -> None:
    response = people.client("owner").post("/studio/organization/rename/", {"name": ""})
    assert response.status_code == 422
    assert "This field is required" in response.content.decode()


def test_switching_changes_what_the_pages_are_about(people: People) -> None:
    second = MembershipFactory(user=people.owner, organization__name="Second Network").organization
    client = people.client("owner")
    response = client.post("/studio/switch/", {"organization": str(second.id)})
    assert response.status_code == 302
    assert "Second Network" in client.get("/studio/organization/").content.decode()


@pytest.mark.parametrize("value", ["", "rubbish", "0189c5e0-0000-7000-8000-000000000000"])
def test_switching_elsewhere_is_refused(people: People, value: str) -> None:
    response = people.client("owner").post("/studio/switch/", {"organization": value})
    assert response.status_code in {400, 404}


def test_founding_another_organisation_makes_one_its_owner(people: People) -> None:
    client = people.client("analyst")
    client.post("/studio/organization/new/", {"name": "My Own"})
    founded = Organization.objects.get(name="My Own")
    assert Membership.objects.get(organization=founded).role == Role.OWNER
    assert "My Own" in client.get("/studio/organization/").content.decode()


def test_an_analyst_sees_no_forms_for_admins(people: People) -> None:
    page = people.client("analyst").get("/studio/organization/").content.decode()
    assert "Invite somebody" not in page
    assert "Remove" not in page


@pytest.mark.django_db
def test_somebody_without_an_organisation_is_offered_to_found_one() -> None:
    client = Client()
    client.force_login(UserFactory())
    response = client.get("/studio/")
    assert response.status_code == 200
    assert "/studio/organization/new/" in response.content.decode()

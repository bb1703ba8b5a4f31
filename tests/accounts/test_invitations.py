"""Inviting people by mail, from the form to the membership."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from apps.accounts.models import Invitation, Membership, User
from apps.core.clock import now
from tests.conftest import People
from tests.factories import UserFactory


@pytest.fixture
def link(people: People, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> str:
    """The link in a mail that the owner had sent to new@example.com, as an editor."""
    return send(people, django_capture_on_commit_callbacks)


def send(
    people: People,
    capture: DjangoCaptureOnCommitCallbacks,
    *,
    email: str = "new@example.com",
    role: str = "editor",
    actor: str = "owner",
) -> str:
    with capture(execute=True):
        people.client(actor).post(
            "/studio/organization/invitations/", {"email": email, "role": role}
        )
    found = re.search(r"http://localhost:8000(/invitations/\S+/)", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


def accept(link: str, user: User) -> Client:
    client = Client()
    client.force_login(user)
    client.post(link)
    return client


def test_an_invitation_is_mailed_and_accepted(people: People, link: str) -> None:
    assert mail.outbox[0].to == ["new@example.com"]
    newcomer = UserFactory(email="new@example.com")
    client = accept(link, newcomer)
    membership = Membership.objects.get(user=newcomer)
    assert (membership.organization, membership.role) == (people.organization, "editor")
    assert "Radio Ours" in client.get("/studio/organization/").content.decode()


def test_the_secret_is_not_stored(link: str) -> None:
    token = link.split("/")[2]
    assert token not in str(Invitation.objects.values().get())


def test_a_link_works_once(link: str) -> None:
    accept(link, UserFactory())
    second = UserFactory()
    accept(link, second)
    assert not Membership.objects.filter(user=second).exists()


def test_accepting_twice_changes_nothing(link: str) -> None:
    newcomer = UserFactory()
    client = accept(link, newcomer)
    assert client.post(link).status_code == 302
    assert Membership.objects.filter(user=newcomer).count() == 1


def test_a_link_ends_with_its_time(link: str) -> None:
    late = UserFactory()
    with time_machine.travel(now() + timedelta(days=15)):
        assert Client().get(link).status_code == 404
        accept(link, late)
    assert not Membership.objects.filter(user=late).exists()


def test_a_withdrawn_link_is_dead(people: People, link: str) -> None:
    invitation = Invitation.objects.get()
    people.client("admin").post(f"/studio/organization/invitations/{invitation.id}/withdraw/")
    assert Client().get(link).status_code == 404


def test_a_second_invitation_replaces_the_first(
    people: People, link: str, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    second = send(people, django_capture_on_commit_callbacks, email="NEW@example.com")
    assert Client().get(link).status_code == 404
    assert Client().get(second).status_code == 200


@pytest.mark.parametrize(
    ("actor", "role", "status"),
    [
        ("admin", "admin", 302),
        ("admin", "owner", 422),
        ("editor", "analyst", 403),
        ("owner", "owner", 302),
    ],
)
def test_nobody_invites_into_a_stronger_role(
    people: People, actor: str, role: str, status: int
) -> None:
    response = people.client(actor).post(
        "/studio/organization/invitations/", {"email": "x@example.com", "role": role}
    )
    assert response.status_code == status
    assert Invitation.objects.exists() is (status == 302)


def test_members_are_not_invited_again(people: People) -> None:
    response = people.client("owner").post(
        "/studio/organization/invitations/",
        {"email": people.analyst.email.upper(), "role": "editor"},
    )
    assert response.status_code == 422
    assert "is a member already" in response.content.decode()


@pytest.mark.parametrize("is_invited", [True, False])
def test_a_closed_installation_lets_only_the_invited_sign_up(
    link: str, settings: Settings, is_invited: bool
) -> None:
    settings.SIGNUP_OPEN = False
    client = Client()
    if is_invited:
        client.get(link)
    client.post(
        "/accounts/signup/",
        {"email": "new@example.com", "password1": "correct horse 1", "name": "New"},
    )
    assert User.objects.filter(email="new@example.com").exists() is is_invited
    assert Membership.objects.filter(user__email="new@example.com").count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "expected"), [("Harbour Media", "Harbour Media"), ("", "Ada’s podcasts")]
)
def test_a_sign_up_founds_an_organisation(typed: str, expected: str) -> None:
    client = Client()
    response = client.post(
        "/accounts/signup/",
        {
            "email": "ada@example.com",
            "password1": "correct horse 1",
            "name": "Ada",
            "organization_name": typed,
        },
    )
    assert response.status_code == 302
    membership = Membership.objects.get(user__email="ada@example.com")
    assert (membership.role, membership.organization.name) == ("owner", expected)


@pytest.mark.usefixtures("clean_valkey")
def test_nobody_sends_invitations_without_end(
    people: People,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.INVITATIONS_PER_HOUR = 2
    form = {"email": "victim@example.com", "role": "editor"}
    with django_capture_on_commit_callbacks(execute=True):
        answers = [
            people.client("owner").post("/studio/organization/invitations/", form) for _ in range(3)
        ]
        colleague = people.client("admin").post("/studio/organization/invitations/", form)
    assert [answer.status_code for answer in answers] == [302, 302, 422]
    assert "Try again later" in answers[-1].content.decode()
    assert colleague.status_code == 302
    assert len(mail.outbox) == 3


def test_a_name_of_several_lines_makes_a_subject_of_one(
    people: People, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    people.organization.name = "Radio\nBcc: everybody@example.com"
    people.organization.save()
    send(people, django_capture_on_commit_callbacks)
    assert mail.outbox[-1].subject == "Join Radio Bcc: everybody@example.com on Longwave"


@pytest.mark.django_db(transaction=True)  # it goes out after the commit
def test_a_mail_that_no_server_takes_invites_nobody(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise ConnectionRefusedError("no server")

    monkeypatch.setattr("apps.accounts.invitations.send_mail", refuse)
    response = people.client("owner").post(
        "/studio/organization/invitations/", {"email": "x@example.com", "role": "editor"}
    )
    assert response.status_code == 422
    assert "could not be sent" in response.content.decode()
    assert not Invitation.objects.exists()

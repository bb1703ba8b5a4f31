"""The pages of API tokens: who sees which, what a form makes, and that a secret is shown once."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import ApiToken
from apps.accounts.roles import Role
from apps.accounts.tokens import find_token, revoke_token
from apps.core.clock import now
from tests.conftest import People
from tests.factories import MembershipFactory, ShowFactory
from tests.programs import program, token_of_organization, token_of_person

OWN = "/studio/tokens/"
OURS = "/studio/organization/tokens/"
NEW = {"name": "Publishing script", "scopes": ["read", "stats"], "show": "all", "lifetime": "365"}


def secrets_on(page: str) -> set[str]:
    return set(re.findall(r"lw_[0-9A-Za-z]{49}", page))


def make(client: Client, address: str, **fields: Any) -> str:
    role = {"role": "editor"} if address == OURS else {}
    return client.post(f"{address}new/", NEW | role | fields).content.decode()


@pytest.mark.parametrize("address", [OWN, OURS])
def test_a_secret_is_shown_once_with_a_line_to_try_it(people: People, address: str) -> None:
    owner = people.client("owner")
    made = owner.post(f"{address}new/", NEW | {"role": "editor"})
    page = unescape(made.content.decode())
    (secret,) = secrets_on(page)
    assert made.headers["Cache-Control"] == "no-store"
    assert find_token(secret).name == "Publishing script"
    line = re.search(r"curl -H 'Authorization: Bearer (\S+)' http://[^/]+(/\S+?)\"", page)
    assert line is not None
    assert line[1] == secret
    assert program(secret).get(line[2]).status_code == 200
    again = owner.get(address).content.decode()
    assert "Publishing script" in again
    assert not secrets_on(again)


def test_the_line_to_try_works_for_every_scope(people: People) -> None:
    for scope in ("read", "write", "stats", "uploads"):
        page = unescape(make(people.client("editor"), OWN, scopes=[scope]))
        line = re.search(r"Bearer (\S+)' http://[^/]+(/\S+?)\"", page)
        assert line is not None
        assert program(line[1]).get(line[2]).status_code == 200, scope


def test_the_form_is_empty_again_once_a_token_is_made(people: People) -> None:
    page = make(people.client("editor"), OWN)
    assert 'value="Publishing script"' not in page
    assert "This field is required" not in page


@pytest.mark.parametrize(
    ("lifetime", "days"), [("30", 30), ("90", 90), ("365", 365), ("never", None)]
)
def test_a_token_lasts_as_long_as_was_chosen(people: People, lifetime: str, days: Any) -> None:
    make(people.client("editor"), OWN, lifetime=lifetime)
    until = ApiToken.objects.get().expires_at
    assert (until and round((until - now()) / timedelta(days=1))) == days


def test_a_token_may_be_for_one_show_of_ones_own(people: People) -> None:
    ours = ShowFactory(organization=people.organization, title="Harbour")
    second = ShowFactory(title="Second", organization__name="Z, not the current one")
    MembershipFactory(organization=second.organization, user=people.owner)
    foreign = ShowFactory(title="Foreign")
    owner = people.client("owner")
    for address, offered in [(OWN, {ours, second}), (OURS, {ours})]:
        page = owner.get(address).content.decode()
        shows = {show for show in (ours, second, foreign) if f'value="{show.id}"' in page}
        assert shows == offered, address
        make(owner, address, show=str(ours.id))
        assert ApiToken.objects.latest("id").show_id == ours.id
        assert "Harbour" in owner.get(address).content.decode()
        before = ApiToken.objects.count()
        refused = owner.post(f"{address}new/", NEW | {"role": "editor", "show": str(foreign.id)})
        assert refused.status_code == 422
        assert ApiToken.objects.count() == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 101},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"lifetime": "9999"},
        {"show": ""},
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(people: People, wrong: dict[str, Any]) -> None:
    answer = people.client("editor").post(f"{OWN}new/", NEW | wrong)
    assert answer.status_code == 422
    assert "field__errors" in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_an_organisations_token_is_no_owner(people: People) -> None:
    answer = people.client("owner").post(f"{OURS}new/", NEW | {"role": "owner"})
    assert answer.status_code == 422
    assert not ApiToken.objects.exists()


def test_too_many_tokens_are_refused_with_a_sentence(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.accounts.tokens.MAX_TOKENS", 0)
    assert "revoke some that are not in use" in make(people.client("editor"), OWN)


def revoked(token: ApiToken) -> None:
    revoke_token(token=token)


def expired(token: ApiToken) -> None:
    ApiToken.objects.filter(pk=token.pk).update(expires_at=now())


def untouched(token: ApiToken) -> None:
    pass


@pytest.mark.parametrize(
    ("happens", "status"), [(untouched, "Active"), (expired, "Expired"), (revoked, "Revoked")]
)
def test_a_token_that_works_can_be_revoked_and_another_says_why_not(
    people: People, happens: Callable[[ApiToken], None], status: str
) -> None:
    token, _ = token_of_person(people.editor)
    happens(token)
    page = people.client("editor").get(OWN).content.decode()
    assert f">{status}</span>" in page
    assert (f"{OWN}{token.id}/revoke/" in page) is (status == "Active")


def test_revoking_works_at_once(people: People) -> None:
    editor = people.client("editor")
    token, secret = token_of_person(people.editor)
    answer = editor.post(f"{OWN}{token.id}/revoke/", follow=True)
    assert "works no more" in answer.content.decode()
    assert program(secret).get("/api/v1/shows/").status_code == 401


def test_nobody_revokes_what_is_not_theirs(people: People) -> None:
    mine, _ = token_of_person(people.owner)
    ours, _ = token_of_organization(people.organization)
    for name, address in [
        ("admin", f"{OWN}{mine.id}/revoke/"),
        ("owner", f"{OURS}{mine.id}/revoke/"),
        ("owner", f"{OWN}{ours.id}/revoke/"),
        ("stranger", f"{OURS}{ours.id}/revoke/"),
    ]:
        assert people.client(name).post(address).status_code == 404, (name, address)
    assert people.client("editor").post(f"{OURS}{ours.id}/revoke/").status_code == 403
    assert not ApiToken.objects.exclude(revoked_at=None).exists()


def test_each_sees_their_own_tokens_and_admins_the_organisations(people: People) -> None:
    token_of_person(people.owner)
    ApiToken.objects.update(name="Mine")
    token, _ = token_of_organization(people.organization, Role.ANALYST)
    ApiToken.objects.filter(pk=token.pk).update(name="Ours")
    seen = {
        name: {
            word
            for word in ("Mine", "Ours")
            for address in (OWN, OURS)
            if f">{word}<" in people.client(name).get(address).content.decode()
        }
        for name in ("owner", "admin", "editor", "stranger")
    }
    assert seen == {
        "owner": {"Mine", "Ours"},
        "admin": {"Ours"},
        "editor": set(),
        "stranger": set(),
    }


def test_only_admins_are_led_to_the_organisations_tokens(people: People) -> None:
    seen = {
        name: OURS in people.client(name).get("/studio/organization/").content.decode()
        for name in ("owner", "admin", "editor", "analyst")
    }
    assert seen == {"owner": True, "admin": True, "editor": False, "analyst": False}


def test_without_tokens_the_page_says_what_they_are_for(people: People) -> None:
    assert "No tokens yet" in people.client("analyst").get(OWN).content.decode()


def test_the_token_of_a_show_that_is_gone_says_so(people: People) -> None:
    show = ShowFactory(organization=people.organization, title="Harbour")
    token_of_person(people.editor, show_id=show.id)
    show.deleted_at = now()
    show.save(update_fields=["deleted_at"])
    assert "A show that is gone" in people.client("editor").get(OWN).content.decode()


@pytest.mark.parametrize("address", [OWN, OURS])
def test_the_list_reads_as_much_for_twenty_rows_as_for_one_and_has_pages(
    people: People, address: str
) -> None:
    client, counts = people.client("owner"), []
    show = ShowFactory(organization=people.organization)
    for more in (1, 19, 10):
        for _ in range(more):
            token_of_person(people.owner, show_id=show.id)
            token_of_organization(people.organization, show_id=show.id)
        with CaptureQueriesContext(connection) as queries:
            page = client.get(address).content.decode()
        counts.append(len(queries))
    assert len(set(counts)) == 1
    assert page.count("table__title") == 25

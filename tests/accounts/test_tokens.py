"""API tokens: what their secrets look like, who finds them, and until when."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts import tokens
from apps.accounts.models import ApiToken, Membership
from apps.accounts.roles import Role
from apps.accounts.scopes import Scope
from apps.accounts.services import deactivate_person
from apps.accounts.tasks import forget_old_tokens
from apps.accounts.tokens import (
    TokenRefusedError,
    create_organization_token,
    create_token,
    find_token,
    is_well_formed,
    new_secret,
    note_use,
    revoke_token,
)
from apps.core.clock import now
from tests.beside import Beside
from tests.conftest import People
from tests.programs import UNKNOWN_SECRET, token_of_organization, token_of_person

CHARACTERS = st.characters(codec="ascii", categories=["L", "N"])


@given(st.integers(min_value=3, max_value=51), CHARACTERS)
def test_a_mistyped_secret_is_known_without_looking(place: int, other: str) -> None:
    secret = new_secret()
    mistyped = secret[:place] + other + secret[place + 1 :]
    assert is_well_formed(mistyped) is (mistyped == secret)


@pytest.mark.parametrize(
    "text", ["", "lw_", "lw_" + "a" * 49, "gh_" + UNKNOWN_SECRET[3:], "lw_ö" * 9]
)
def test_what_is_no_secret_of_ours_is_known_without_looking(text: str) -> None:
    assert not is_well_formed(text)


def test_the_secret_that_is_nobodys_is_well_formed() -> None:
    assert is_well_formed(UNKNOWN_SECRET)


def test_secrets_are_long_marked_and_never_the_same() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(len(secret) == 52 and secret.startswith("lw_") for secret in made)


def test_only_a_hash_of_the_secret_is_stored(people: People) -> None:
    token, secret = token_of_person(people.editor)
    stored = [str(value) for value in ApiToken.objects.filter(pk=token.pk).values_list()[0]]
    assert not any(secret[8:] in value for value in stored)
    assert secret.startswith(token.prefix)
    assert find_token(secret) == token


def expire(token: ApiToken) -> None:
    ApiToken.objects.filter(pk=token.pk).update(expires_at=now())


def forget(token: ApiToken) -> None:
    token.delete()


def revoke(token: ApiToken) -> None:
    revoke_token(token=token)


def close(token: ApiToken) -> None:
    assert token.user is not None
    deactivate_person(user=token.user)


@pytest.mark.parametrize(
    ("happens", "code"),
    [
        (expire, "token_expired"),
        (forget, "invalid_token"),
        (revoke, "token_revoked"),
        (close, "account_inactive"),
    ],
)
def test_a_token_that_works_no_more_says_why(people: People, happens: Any, code: str) -> None:
    token, secret = token_of_person(people.editor)
    find_token(secret)
    happens(token)
    for look in (lambda: find_token(secret), lambda: tokens.token_with_digest(token.secret_sha256)):
        with pytest.raises(TokenRefusedError) as refused:
            look()
        assert refused.value.code == code


def test_revoking_twice_keeps_the_first_time(people: People) -> None:
    token, _ = token_of_person(people.editor)
    with time_machine.travel("2027-01-01T00:00Z", tick=False):
        revoke_token(token=token)
    revoke_token(token=token)
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert token.revoked_at.year == 2027


def test_an_organisations_token_outlives_the_account_of_whoever_made_it(people: People) -> None:
    _, secret = token_of_organization(people.organization)
    deactivate_person(user=people.owner)
    assert find_token(secret).organization == people.organization


@pytest.mark.parametrize(
    ("maker", "role", "is_allowed"),
    [
        ("owner", Role.ADMIN, True),
        ("owner", Role.OWNER, False),
        ("admin", Role.ADMIN, True),
        ("editor", Role.EDITOR, True),  # that they may not make any is the door's concern
        ("editor", Role.ADMIN, False),
    ],
)
def test_no_token_is_stronger_than_its_maker_or_an_owner(
    people: People, maker: str, role: Role, is_allowed: bool
) -> None:
    actor = Membership.objects.get(user=getattr(people, maker))

    def make() -> ApiToken:
        return create_organization_token(
            actor=actor, role=role, name="Deployment", scopes=[Scope.READ]
        )[0]

    if is_allowed:
        assert make().role == role
    else:
        with pytest.raises(ValidationError) as refused:
            make()
        assert refused.value.error_dict["role"][0].code == "too_strong"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"expires_at": now() - timedelta(seconds=1)}, "expires_at"),
    ],
)
def test_what_makes_no_sense_is_not_made(people: People, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        create_token(user=people.editor, **{"name": "A", "scopes": [Scope.READ]} | wrong)
    assert field in refused.value.error_dict
    assert not ApiToken.objects.exists()


def person_token(people: People) -> None:
    token_of_person(people.editor)


def organization_token(people: People) -> None:
    token_of_organization(people.organization)


def test_there_is_a_limit_that_tokens_out_of_use_do_not_count_for(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MAX_TOKENS", 2)
    expire(token_of_person(people.editor)[0])
    revoke(token_of_person(people.editor)[0])
    token_of_person(people.owner)
    last = [token_of_person(people.editor) for _ in range(2)][-1][0]
    with pytest.raises(ValidationError, match="revoke some"):
        token_of_person(people.editor)
    revoke(last)
    token_of_person(people.editor)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("make", [person_token, organization_token])
def test_two_made_at_once_are_not_both_the_last_that_is_allowed(
    people: People, make: Callable[[People], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MAX_TOKENS", 1)
    with transaction.atomic():
        make(people)
        second = Beside(lambda: make(people))
        second.wait_until_it_waits()
    second.join()
    assert isinstance(second.error, ValidationError)
    assert second.error.code == "limit_reached"
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize(
    "broken",
    [
        {"user": None},
        {"role": "editor"},
        {"scopes": []},
        {"scopes": ["everything"]},
    ],
)
def test_the_database_refuses_what_is_neither_ones_nor_the_others(
    people: People, broken: dict[str, Any]
) -> None:
    token, _ = token_of_person(people.editor)
    for change in (broken, {"organization": people.organization}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ApiToken.objects.filter(pk=token.pk).update(**change)


def test_an_organisations_token_is_never_an_owner(people: People) -> None:
    token, _ = token_of_organization(people.organization)
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiToken.objects.filter(pk=token.pk).update(role="owner")


def test_the_last_use_is_noted_once_a_minute(people: People) -> None:
    _, secret = token_of_person(people.editor)
    seen = []
    for second in (0, 30, 59, 60, 61):
        with time_machine.travel(f"2027-01-01T00:{second // 60:02}:{second % 60:02}Z", tick=False):
            note_use(find_token(secret))
            last = find_token(secret).last_used_at
            seen.append(last.minute * 60 + last.second if last else None)
    assert seen == [0, 0, 0, 60, 60]


@pytest.mark.django_db(transaction=True)
def test_noting_the_use_waits_for_nobody(people: People) -> None:
    token, _ = token_of_person(people.editor)
    done = threading.Event()

    def note() -> None:
        note_use(token)
        connection.close()
        done.set()

    with transaction.atomic():
        ApiToken.objects.select_for_update().get(pk=token.pk)
        threading.Thread(target=note).start()
        assert done.wait(timeout=10)
    token.refresh_from_db()
    assert token.last_used_at is None


def test_what_has_not_worked_for_long_is_forgotten(people: People) -> None:
    made = [token_of_person(people.editor)[0] for _ in range(5)]
    long_ago, lately = now() - timedelta(days=91), now() - timedelta(days=89)
    for token, fields in zip(
        made,
        [
            {"revoked_at": long_ago},
            {"revoked_at": lately},
            {"expires_at": long_ago},
            {"expires_at": lately},
            {"created_at": long_ago},
        ],
        strict=True,
    ):
        ApiToken.objects.filter(pk=token.pk).update(**fields)
    forget_old_tokens()
    assert set(ApiToken.objects.all()) == {made[1], made[3], made[4]}

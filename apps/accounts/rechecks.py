"""Whoever may see less than before is asked at once whether they may still listen."""

from uuid import UUID

from django.db import transaction

from apps.accounts.actors import Actor, person_of, token_of
from apps.accounts.models import Membership
from apps.core.announcing import announce, organization_tokens_group, person_group, token_group
from apps.core.commits import once_on_commit

_RECHECK = {"type": "recheck"}


def groups_of(actor: Actor) -> list[str]:
    """The channel layer's groups in which an actor is told to be checked again."""
    token, person = token_of(actor), person_of(actor)
    groups = [person_group(person.pk)] if person is not None else []
    if token is not None:
        groups.append(token_group(token.pk))
        if token.organization_id is not None:
            groups.append(organization_tokens_group(token.organization_id))
    return groups


def recheck_person(user_id: UUID) -> None:
    """In a change's transaction: once it is committed, what the person has open checks again."""
    transaction.on_commit(lambda: announce([person_group(user_id)], _RECHECK), robust=True)


def recheck_token(token_id: UUID) -> None:
    """As :func:`recheck_person`, for what a token has open."""
    transaction.on_commit(lambda: announce([token_group(token_id)], _RECHECK), robust=True)


def recheck_members(organization_id: UUID) -> None:
    """As :func:`recheck_person`, for all of an organisation some of which went away."""
    once_on_commit(
        ("recheck", organization_id), lambda: announce(_groups(organization_id), _RECHECK)
    )


def _groups(organization_id: UUID) -> list[str]:
    members = Membership.objects.filter(organization_id=organization_id)
    people = [person_group(user_id) for user_id in members.values_list("user_id", flat=True)]
    return [*people, organization_tokens_group(organization_id)]

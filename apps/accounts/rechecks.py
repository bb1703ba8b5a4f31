"""Whoever may see less than before is asked at once whether they may still listen."""

from uuid import UUID

from django.db import transaction

from apps.accounts.models import Membership
from apps.core.announcing import announce, person_group

_RECHECK = {"type": "recheck"}


def recheck_person(user_id: UUID) -> None:
    """In a change's transaction: once it is committed, the person's sockets check again."""
    transaction.on_commit(lambda: announce([person_group(user_id)], _RECHECK), robust=True)


def recheck_members(organization_id: UUID) -> None:
    """As :func:`recheck_person`, for everybody in an organisation some of which went away."""
    transaction.on_commit(lambda: announce(_groups(organization_id), _RECHECK), robust=True)


def _groups(organization_id: UUID) -> list[str]:
    members = Membership.objects.filter(organization_id=organization_id)
    return [person_group(user_id) for user_id in members.values_list("user_id", flat=True)]

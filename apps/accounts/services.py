"""What changes in organisations: founding, renaming, members and their roles, who may sign in."""

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts.models import Membership, Organization, User
from apps.accounts.rechecks import recheck_person
from apps.accounts.roles import Role


@transaction.atomic
def found_organization(*, owner: User, name: str) -> Organization:
    """A new tenant with its first member."""
    organization = Organization.objects.create(name=name)
    Membership.objects.create(organization=organization, user=owner, role=Role.OWNER)
    return organization


def rename_organization(*, organization: Organization, name: str) -> None:
    """Give the organisation another name."""
    organization.name = name
    organization.save(update_fields=["name"])


def lock_members(organization: Organization) -> None:
    """In a transaction, let nobody else change who is a member and as what.

    Two owners who step down at the same moment must not leave nobody.
    """
    Organization.objects.select_for_update().get(pk=organization.pk)


def _require_another_owner(membership: Membership) -> None:
    others = Membership.objects.filter(
        organization_id=membership.organization_id, role=Role.OWNER
    ).exclude(pk=membership.pk)
    if membership.role == Role.OWNER and not others.exists():
        raise ValidationError(
            "An organisation needs an owner: make somebody else an owner first.", code="last_owner"
        )


def _require_rank(actor: Membership, *roles: str) -> None:
    if not all(Role(actor.role).includes(Role(role)) for role in roles):
        raise ValidationError(
            "You can't give, change or remove a role stronger than your own.", code="too_strong"
        )


@transaction.atomic
def change_role(*, actor: Membership, membership: Membership, role: Role) -> None:
    """Give a member another role; ValidationError when none would own the organisation."""
    lock_members(membership.organization)
    membership.refresh_from_db(fields=["role"])
    _require_rank(actor, membership.role, role)
    if role != Role.OWNER:
        _require_another_owner(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    recheck_person(membership.user_id)


@transaction.atomic
def remove_member(*, actor: Membership, membership: Membership) -> None:
    """End a membership, one's own included; ValidationError for the last owner."""
    lock_members(membership.organization)
    membership.refresh_from_db(fields=["role"])
    if actor.pk != membership.pk:
        _require_rank(actor, membership.role)
    _require_another_owner(membership)
    membership.delete()
    recheck_person(membership.user_id)


@transaction.atomic
def deactivate_person(*, user: User) -> None:
    """Let somebody sign in no more; what they have open ends at once. Memberships stay."""
    user.is_active = False
    user.save(update_fields=["is_active"])
    recheck_person(user.pk)

"""What changes in organisations: founding, renaming, members and their roles, who may sign in."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from apps.accounts.models import Invitation, Membership, Organization, User
from apps.accounts.rechecks import recheck_person
from apps.accounts.roles import Role
from apps.core.buckets import spend_from

MAX_OWNED = 50
FOUNDED_AN_HOUR = 5


@transaction.atomic
def found_organization(*, owner: User, name: str) -> Organization:
    """A new tenant with its first member.

    Raises ValidationError for who founds too often or owns too many: limits of organisations would
    mean nothing if anybody could have any number of them.
    """
    # Two founded at once must not both be the last that is allowed.
    User.objects.select_for_update(no_key=True).get(pk=owner.pk)
    if Membership.objects.filter(user=owner, role=Role.OWNER).count() >= MAX_OWNED:
        raise ValidationError(
            f"You own {MAX_OWNED} organisations, which is as many as one may.",
            code="limit_reached",
        )
    spent = spend_from(f"founded:{owner.pk}", FOUNDED_AN_HOUR, window_seconds=3600)
    if spent is not None and not spent.is_allowed:
        raise ValidationError(
            f"You founded {FOUNDED_AN_HOUR} organisations within an hour, which is as many as one "
            "may. Try again later.",
            code="too_many",
        )
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


def refresh_actor(actor: Membership) -> None:
    """Under the lock: as what the actor, let in as an admin, changes members by now.

    Raises PermissionDenied when they are none any more. A token's role never changes.
    """
    if actor._state.adding:
        return
    try:
        actor.refresh_from_db(fields=["role"])
    except Membership.DoesNotExist:
        raise PermissionDenied("You are not a member any more.") from None
    if not Role(actor.role).includes(Role.ADMIN):
        raise PermissionDenied(f"This needs the role {Role.ADMIN.label} or a stronger one.")


def _refresh_member(membership: Membership) -> None:
    try:
        membership.refresh_from_db(fields=["role"])
    except Membership.DoesNotExist:
        raise ValidationError("There is no such member any more.", code="not_found") from None


def _withdraw_invitations(membership: Membership, roles: list[Role]) -> None:
    """Whoever may not give a role any more has not given it by a letter that is under way."""
    Invitation.objects.filter(
        organization_id=membership.organization_id,
        invited_by_id=membership.user_id,
        accepted_at=None,
        role__in=roles,
    ).delete()


def _require_rank(actor: Membership, *roles: str) -> None:
    if not all(Role(actor.role).includes(Role(role)) for role in roles):
        raise ValidationError(
            "You can't give, change or remove a role stronger than your own.", code="too_strong"
        )


@transaction.atomic
def change_role(*, actor: Membership, membership: Membership, role: Role) -> None:
    """Give a member another role; ValidationError when none would own the organisation."""
    lock_members(membership.organization)
    refresh_actor(actor)
    _refresh_member(membership)
    _require_rank(actor, membership.role, role)
    if role != Role.OWNER:
        _require_another_owner(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    _withdraw_invitations(membership, [one for one in Role if not role.includes(one)])
    recheck_person(membership.user_id)


@transaction.atomic
def remove_member(*, actor: Membership, membership: Membership) -> None:
    """End a membership, one's own included; ValidationError for the last owner."""
    lock_members(membership.organization)
    _refresh_member(membership)
    if actor.pk != membership.pk:
        refresh_actor(actor)
        _require_rank(actor, membership.role)
    _require_another_owner(membership)
    _withdraw_invitations(membership, list(Role))
    membership.delete()
    recheck_person(membership.user_id)


@transaction.atomic
def deactivate_person(*, user: User) -> None:
    """Let somebody sign in no more; what they have open ends at once. Memberships stay."""
    user.is_active = False
    user.save(update_fields=["is_active"])
    recheck_person(user.pk)

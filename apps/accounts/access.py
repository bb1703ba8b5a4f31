"""The door to organisations: who may see which one, and as what."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest

from apps.accounts.models import Membership, Organization, User
from apps.accounts.roles import Role

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

ORGANIZATION_SESSION_KEY = "organization"


def membership_condition(user: "User | AnonymousUser", *, path: str = "organization") -> Q:
    """Rows whose organisation, found under ``path``, the person is a member of."""
    if not user.is_authenticated:
        return Q(pk__in=[])
    return Q(**{f"{path}__memberships__user": user})


def require_role(
    user: "User | AnonymousUser", organization_id: UUID, needed: Role = Role.ANALYST
) -> Membership:
    """The person's membership; Http404 for a stranger, PermissionDenied for too weak a role."""
    membership = (
        Membership.objects.select_related("organization")
        .filter(organization_id=organization_id, user=user)
        .first()
        if user.is_authenticated
        else None
    )
    if membership is None:
        raise Http404("There is no such page.")
    if not Role(membership.role).includes(needed):
        raise PermissionDenied(f"This needs the role {needed.label} or a stronger one.")
    return membership


def memberships_of(user: User) -> QuerySet[Membership]:
    """All organisations of a person, by name, with their role in each."""
    return (
        Membership.objects.filter(user=user)
        .select_related("organization")
        .order_by("organization__name", "organization_id")
    )


def current_membership(request: HttpRequest) -> Membership:
    """The membership under which the person works now: the chosen one, else their first.

    Http404 when the person belongs to no organisation (any more).
    """
    memberships = list(memberships_of(cast("User", request.user)))
    if not memberships:
        raise Http404("You are not a member of any organisation.")
    chosen = request.session.get(ORGANIZATION_SESSION_KEY)
    return next((m for m in memberships if str(m.organization_id) == chosen), memberships[0])


def choose_organization(request: HttpRequest, organization_id: UUID) -> Membership:
    """Make this organisation the current one of the session; Http404 for a stranger."""
    membership = require_role(cast("User", request.user), organization_id)
    request.session[ORGANIZATION_SESSION_KEY] = str(organization_id)
    return membership


def organization_members(organization: Organization) -> QuerySet[Membership]:
    """The members of an organisation that the caller was let into, strongest first."""
    return (
        Membership.objects.filter(organization=organization)
        .select_related("user", "organization")
        .order_by("created_at", "pk")
    )


def get_member(organization: Organization, membership_id: int) -> Membership:
    """One member of an organisation that the caller was let into; else Http404."""
    membership = organization_members(organization).filter(pk=membership_id).first()
    if membership is None:
        raise Http404("There is no such member.")
    return membership


def organizations_for_platform(ids: Iterable[UUID]) -> dict[UUID, Organization]:
    """These organisations, whosever they are; for the platform's staff only."""
    return Organization.objects.in_bulk(list(ids))

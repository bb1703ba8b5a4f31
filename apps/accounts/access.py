"""The door to organisations: who may see which one, and as what."""

from collections.abc import Iterable
from typing import TypedDict, cast
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import F, Q, QuerySet, Value
from django.http import Http404, HttpRequest
from django_stubs_ext import WithAnnotations

from apps.accounts.actors import Actor, person_of, show_limit_of, token_of
from apps.accounts.models import Membership, Organization, User
from apps.accounts.roles import Role

ORGANIZATION_SESSION_KEY = "organization"


def membership_condition(
    actor: Actor, *, path: str = "organization", show_path: str | None = None
) -> Q:
    """Rows whose organisation, found under ``path``, the actor belongs to.

    ``show_path`` says where a row's show is: without it, a token for one show sees no rows at all.
    """
    if not actor.is_authenticated:
        return Q(pk__in=[])
    limit, token = show_limit_of(actor), token_of(actor)
    if limit is not None and show_path is None:
        return Q(pk__in=[])
    within = Q(**{show_path: limit}) if limit is not None and show_path else Q()
    if token is not None and token.organization_id is not None:
        return within & Q(**{path: token.organization_id})
    return within & Q(**{f"{path}__memberships__user": person_of(actor)})


def require_role(
    actor: Actor,
    organization_id: UUID,
    needed: Role = Role.ANALYST,
    *,
    show_id: UUID | None = None,
) -> Membership:
    """As what the actor is let in; Http404 for a stranger, PermissionDenied for too weak a role.

    ``show_id`` is the show in question, if it is about one: a token for one show is a stranger
    everywhere else. What an organisation's token is let in as is no row, and has no user.
    """
    membership = _membership(actor, organization_id, show_id)
    if membership is None:
        raise Http404("There is no such page.")
    if not Role(membership.role).includes(needed):
        raise PermissionDenied(f"This needs the role {needed.label} or a stronger one.")
    return membership


def _membership(actor: Actor, organization_id: UUID, show_id: UUID | None) -> Membership | None:
    if not actor.is_authenticated or show_limit_of(actor) not in (None, show_id):
        return None
    token = token_of(actor)
    if token is not None and token.organization is not None:
        if token.organization_id != organization_id:
            return None
        return Membership(organization=token.organization, role=token.role)
    return (
        Membership.objects.select_related("organization")
        .filter(organization_id=organization_id, user=person_of(actor))
        .first()
    )


class _OwnRole(TypedDict):
    own_role: str


type OrganizationWithRole = WithAnnotations[Organization, _OwnRole]


def organizations_of(actor: Actor) -> "QuerySet[OrganizationWithRole]":
    """The organisations that the actor belongs to, each with its role there as ``own_role``.

    None for a token that is for one show: an organisation is more than that.
    """
    token, everything = token_of(actor), Organization.objects.order_by("name", "id")
    if token is not None and token.organization_id is not None:
        mine = everything.filter(pk=token.organization_id).annotate(own_role=Value(token.role))
    else:
        theirs = everything.filter(memberships__user=person_of(actor))
        mine = theirs.annotate(own_role=F("memberships__role"))
    is_let_in = actor.is_authenticated and show_limit_of(actor) is None
    return mine if is_let_in else mine.none()


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
    """The members of an organisation that the caller was let into, the first one first."""
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

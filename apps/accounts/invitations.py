"""Inviting people into an organisation by mail."""

import hashlib
import logging
import secrets
from smtplib import SMTPException
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from apps.accounts.models import Invitation, Membership, Organization, User
from apps.accounts.roles import Role
from apps.accounts.services import lock_members, refresh_actor
from apps.core.clock import now

logger = logging.getLogger(__name__)

INVITATION_SESSION_KEY = "invitation"
_HOUR_SECONDS = 3600


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def open_invitations(organization: Organization) -> QuerySet[Invitation]:
    """Offers that were neither accepted nor withdrawn, newest first; expired ones included."""
    return (
        Invitation.objects.filter(organization=organization, accepted_at=None)
        .select_related("invited_by")
        .order_by("-created_at", "-id")
    )


def find_invitation(token: str) -> Invitation | None:
    """The open, unexpired invitation behind a link's token."""
    return (
        Invitation.objects.select_related("organization", "invited_by")
        .filter(token_sha256=_digest(token), accepted_at=None, expires_at__gt=now())
        .first()
    )


def open_invitation_in_session(request: HttpRequest) -> Invitation | None:
    """The invitation that the person came with, if it still stands."""
    token = request.session.get(INVITATION_SESSION_KEY)
    return find_invitation(token) if token else None


def invite(
    *, actor: Membership, email: str, role: Role, token_of: UUID | None = None
) -> Invitation:
    """Send an invitation, in place of an earlier one to the same address.

    ``token_of`` is who made the organisation's token by which it is sent: it counts as theirs.

    Raises ValidationError for a member's address, for a role stronger than the actor's, when the
    actor has sent too many, and when no mail server takes the mail: then nobody is invited. The
    mail goes out, and may be refused, once the caller's transaction is committed.
    """
    token = secrets.token_urlsafe(32)
    invitation = _create(
        actor=actor, email=email, role=role, token=token, sender_id=actor.user_id or token_of
    )
    # Of a caller's transaction as well: no link goes out that may never work.
    transaction.on_commit(lambda: _send_or_withdraw(invitation, token))
    return invitation


def _send_or_withdraw(invitation: Invitation, token: str) -> None:
    try:
        _send(invitation, token)
    except (OSError, SMTPException) as error:
        logger.exception("The invitation to %s could not be sent", invitation.organization_id)
        Invitation.objects.filter(pk=invitation.pk).delete()
        raise ValidationError(
            "The invitation could not be sent: the mail server did not take it. Try again later.",
            code="not_sent",
        ) from error


@transaction.atomic
def _create(
    *, actor: Membership, email: str, role: Role, token: str, sender_id: UUID | None
) -> Invitation:
    organization = actor.organization
    lock_members(organization)
    refresh_actor(actor)
    if not Role(actor.role).includes(role):
        raise ValidationError(
            "You can't invite somebody into a role stronger than your own.", code="too_strong"
        )
    if organization.memberships.filter(user__email__iexact=email).exists():
        raise ValidationError(f"{email} is a member already.", code="already_member")
    _spend_one(sender_id or organization.pk)
    open_invitations(organization).filter(email__iexact=email).delete()
    return Invitation.objects.create(
        organization=organization,
        email=email,
        role=role,
        token_sha256=_digest(token),
        invited_by_id=actor.user_id,
        expires_at=now() + settings.INVITATION_LIFETIME,
    )


def _spend_one(sender_id: UUID) -> None:
    """Anybody may found an organisation: without a limit its invitations would be a mail cannon."""
    key = f"invitations:{sender_id}:{int(now().timestamp()) // _HOUR_SECONDS}"
    cache.add(key, 0, timeout=_HOUR_SECONDS)
    if cache.incr(key) > settings.INVITATIONS_PER_HOUR:
        raise ValidationError(
            f"You sent {settings.INVITATIONS_PER_HOUR} invitations within an hour, which is as "
            "many as one may. Try again later.",
            code="too_many",
        )


def _send(invitation: Invitation, token: str) -> None:
    context = {
        "invitation": invitation,
        "role": Role(invitation.role).label,
        "url": settings.BASE_URL + reverse("people:invitation", args=[token]),
    }
    send_mail(
        # A subject is one line (RFC 5322, 2.2), whatever the organisation's name holds.
        subject=" ".join(f"Join {invitation.organization} on Longwave".split()),
        message=render_to_string("mail/invitation.txt", context),
        from_email=None,
        recipient_list=[invitation.email],
    )


def withdraw(*, organization: Organization, invitation_id: UUID) -> None:
    """Take an open invitation back; one that is gone already is no error."""
    open_invitations(organization).filter(pk=invitation_id).delete()


@transaction.atomic
def accept(*, user: User, token: str) -> Membership:
    """Make the person a member; accepting twice changes nothing.

    The link is a secret that was sent to one mailbox, so whoever holds it may accept it, with
    whatever address they sign in. Raises ValidationError when it is used up or too old.
    """
    standing = Invitation.objects.filter(token_sha256=_digest(token), expires_at__gt=now())
    if found := standing.select_related("organization").first():
        lock_members(found.organization)  # before the invitation, as who withdraws it does
    invitation = standing.select_for_update().first()
    if invitation is None:
        raise ValidationError(
            "This invitation is no longer valid: ask for a new one.", code="invitation_over"
        )
    existing = Membership.objects.filter(
        organization_id=invitation.organization_id, user=user
    ).first()
    if existing is not None:
        return existing
    if invitation.accepted_at is not None:
        raise ValidationError(
            "This invitation was used already: ask for a new one.", code="invitation_used"
        )
    invitation.accepted_at = now()
    invitation.save(update_fields=["accepted_at"])
    return Membership.objects.create(
        organization_id=invitation.organization_id, user=user, role=invitation.role
    )

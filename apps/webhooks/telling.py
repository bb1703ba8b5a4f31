"""Mail about an endpoint that was switched off without anybody's doing."""

from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from apps.accounts.models import Membership
from apps.accounts.roles import Role
from apps.webhooks.models import WebhookEndpoint


def tell_of_disabled(endpoint_id: UUID) -> None:
    """Mail the organisation's admins and owners why; nothing when it is gone or on again."""
    endpoint = (
        WebhookEndpoint.objects.select_related("organization")
        .filter(pk=endpoint_id, is_enabled=False)
        .first()
    )
    if endpoint is None:
        return
    strong = Membership.objects.filter(
        organization_id=endpoint.organization_id,
        role__in=[role for role in Role if role.includes(Role.ADMIN)],
        user__is_active=True,
    )
    context = {
        "endpoint": endpoint,
        "url": settings.BASE_URL + reverse("webhooks:webhook", args=[endpoint.pk]),
    }
    subject = " ".join(f"A webhook of {endpoint.organization} was switched off".split())
    message = render_to_string("mail/webhook_disabled.txt", context)
    for address in strong.values_list("user__email", flat=True):
        # One mail each: admins need not see each other's addresses.
        send_mail(subject=subject, message=message, from_email=None, recipient_list=[address])

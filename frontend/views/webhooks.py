"""Pages about webhooks: set up, tested, looked after; for admins and owners."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts.access import current_membership, require_role
from apps.accounts.models import Membership
from apps.accounts.roles import Role
from apps.core.clock import now
from apps.webhooks import endpoints, replaying
from apps.webhooks.access import deliveries_of, endpoints_of, get_delivery, get_endpoint
from apps.webhooks.models import DeliveryStatus, WebhookDelivery, WebhookEndpoint
from frontend.forms.webhooks import ReplayForm, WebhookForm
from frontend.views.posts import post_or_back
from frontend.views.studio.paging import page_of
from frontend.views.studio.standing import add_errors, person
from frontend.webhook_list import delivery_badge, webhook_rows
from podcasts.access import shows_of

# For this long a page that shows a delivery on its way asks how it went.
_WATCHED_FOR = timedelta(minutes=1)


def _admin(request: HttpRequest) -> Membership:
    """The current organisation's membership, an admin's at least (else 403)."""
    current = current_membership(request)
    return require_role(person(request), current.organization_id, Role.ADMIN)


@require_GET
@login_required
def webhooks(request: HttpRequest) -> HttpResponse:
    """The current organisation's webhooks and whether they work."""
    organization = _admin(request).organization
    page = page_of(request, endpoints_of(organization))
    rows = webhook_rows(page.object_list, shows_of(organization))
    context = {"organization": organization, "page": page, "rows": rows}
    return render(request, "webhooks/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def webhook_new(request: HttpRequest) -> HttpResponse:
    """Set one up; the answer to the form shows its secret."""
    organization = _admin(request).organization
    form = WebhookForm(request.POST or None, shows=shows_of(organization))
    if form.is_valid():
        try:
            endpoint, secret = endpoints.create_endpoint(
                organization=organization, created_by=person(request), **form.endpoint_fields()
            )
        except ValidationError as error:
            add_errors(form, error)
        else:
            return _secret_page(request, endpoint, secret)
    context = {"organization": organization, "form": form}
    return render(request, "webhooks/form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def webhook_edit(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Another address, name or choice of events."""
    endpoint = get_endpoint(person(request), webhook_id)
    shown = {
        "url": endpoint.url,
        "description": endpoint.description,
        "events": endpoint.events,
        "show": str(endpoint.show_id or ""),
    }
    shows = shows_of(endpoint.organization)
    form = WebhookForm(request.POST or None, shows=shows, initial=shown)
    if form.is_valid():
        try:
            endpoints.update_endpoint(endpoint=endpoint, **form.endpoint_fields())
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "The webhook was changed.")
            return redirect("webhooks:webhook", webhook_id)
    context = {"organization": endpoint.organization, "endpoint": endpoint, "form": form}
    return render(request, "webhooks/form.html", context, status=422 if form.errors else 200)


@require_GET
@login_required
def webhook(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """One webhook: what it is told, whether it works, and what was sent."""
    endpoint = get_endpoint(person(request), webhook_id)
    status = request.GET.get("status", "")
    status = status if status in DeliveryStatus.values else ""
    page = page_of(request, deliveries_of(endpoint, status))
    context = {
        "organization": endpoint.organization,
        "endpoint": endpoint,
        "row": webhook_rows([endpoint], shows_of(endpoint.organization))[0],
        "page": page,
        "deliveries": [(delivery, delivery_badge(delivery)) for delivery in page.object_list],
        "status": status,
        "statuses": [("", "All"), *DeliveryStatus.choices],
        "replay_form": ReplayForm(),
        "log_days": settings.WEBHOOK_LOG_LIFETIME.days,
        "overlap_hours": int(endpoints.ROTATION_OVERLAP.total_seconds()) // 3600,
    }
    return render(request, "webhooks/webhook.html", context)


def _secret_page(request: HttpRequest, endpoint: WebhookEndpoint, secret: str) -> HttpResponse:
    context = {
        "organization": endpoint.organization,
        "endpoint": endpoint,
        "secret": secret,
        "is_rotation": endpoint.previous_secret_until is not None,
    }
    response = render(request, "webhooks/secret.html", context)
    response["Cache-Control"] = "no-store"  # on this page and nowhere else
    return response


@post_or_back("webhooks:webhook", "webhook_id")
@login_required
def webhook_secret(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Make another secret and show it, this once."""
    endpoint = get_endpoint(person(request), webhook_id)
    rotated, secret = endpoints.rotate_secret(endpoint=endpoint)
    return _secret_page(request, rotated, secret)


@post_or_back("webhooks:webhook", "webhook_id")
@login_required
def webhook_test(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Send a ping and show how it goes."""
    endpoint = get_endpoint(person(request), webhook_id)
    try:
        delivery = endpoints.send_test(endpoint=endpoint)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("webhooks:webhook", webhook_id)
    return redirect("webhooks:delivery", delivery.pk)


@post_or_back("webhooks:webhook", "webhook_id")
@login_required
def webhook_switch(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Switch it on or off."""
    endpoint = get_endpoint(person(request), webhook_id)
    is_enabled = request.POST.get("on") == "1"
    endpoints.update_endpoint(endpoint=endpoint, is_enabled=is_enabled)
    messages.success(request, f"The webhook is {'on' if is_enabled else 'off'} now.")
    return redirect("webhooks:webhook", webhook_id)


@post_or_back("webhooks:webhook", "webhook_id")
@login_required
def webhook_replay(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Send again all that failed lately."""
    endpoint = get_endpoint(person(request), webhook_id)
    form = ReplayForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose how far to go back.")
        return redirect("webhooks:webhook", webhook_id)
    try:
        since = now() - form.cleaned_data["since"]
        count = replaying.replay_failed(endpoint=endpoint, since=since)
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        noun = "message is" if count == 1 else "messages are"
        messages.success(request, f"{count} {noun} sent again.")
    return redirect("webhooks:webhook", webhook_id)


@post_or_back("webhooks:webhook", "webhook_id")
@login_required
def webhook_delete(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Delete it with its log."""
    endpoint = get_endpoint(person(request), webhook_id)
    endpoints.delete_endpoint(endpoint=endpoint)
    messages.success(request, f"“{endpoint}” was deleted.")
    return redirect("webhooks:webhooks")


@require_GET
@login_required
def delivery(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    """What was sent, and every attempt; for htmx only what may have changed."""
    found = get_delivery(person(request), delivery_id)
    template = "webhooks/delivery.html#state" if request.headers.get("HX-Request") else ""
    return render(request, template or "webhooks/delivery.html", _delivery_context(found))


def _delivery_context(found: WebhookDelivery) -> dict[str, Any]:
    is_pending = found.status == DeliveryStatus.PENDING
    soon, lately = now() + _WATCHED_FOR, now() - _WATCHED_FOR
    is_soon = found.next_attempt_at is not None and lately < found.next_attempt_at < soon
    return {
        "organization": found.endpoint.organization,
        "endpoint": found.endpoint,
        "delivery": found,
        "badge": delivery_badge(found),
        "attempts": list(reversed(found.attempts.all())),
        "body": json.dumps(found.event.payload, ensure_ascii=False, indent=2),
        "is_watched": is_pending and is_soon,
    }


@post_or_back("webhooks:delivery", "delivery_id")
@login_required
def delivery_replay(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    """Send it again and show how it goes."""
    found = get_delivery(person(request), delivery_id)
    try:
        replaying.replay_delivery(delivery=found)
    except ValidationError as error:
        messages.error(request, error.messages[0])
    return redirect("webhooks:delivery", delivery_id)

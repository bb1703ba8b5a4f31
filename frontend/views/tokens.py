"""Pages of API tokens: a person's own, and the current organisation's."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from apps.accounts.access import current_membership, require_role
from apps.accounts.models import ApiToken, Membership
from apps.accounts.roles import Role
from apps.accounts.scopes import Scope
from apps.accounts.tokens import (
    create_organization_token,
    create_token,
    revoke_token,
    tokens_of_organization,
    tokens_of_person,
)
from apps.core.clock import now
from frontend.forms.tokens import OrganizationTokenForm, TokenForm
from frontend.token_list import token_rows
from frontend.views.posts import post_or_back
from frontend.views.studio.paging import page_of
from frontend.views.studio.standing import add_errors, person
from podcasts.access import shows_of, shows_of_member
from podcasts.querysets import ShowQuerySet


def _page(
    request: HttpRequest,
    names: str,
    *,
    tokens: QuerySet[ApiToken],
    shows: ShowQuerySet,
    form: TokenForm,
    secret: str = "",
    **context: Any,
) -> HttpResponse:
    """``names`` is what the template and the routes of this kind of token begin with."""
    page = page_of(request, tokens)
    at, revoke = now(), f"people:{names}_revoke"
    has_read = bool(secret) and Scope.READ in form.cleaned_data["scopes"]
    context |= {
        "page": page,
        "rows": token_rows(page.object_list, shows, revoke=revoke, at=at),
        "form": type(form)(shows=shows) if secret else form,
        "create_url": reverse(f"people:{names}_new"),
        "secret": secret,
        "try_url": reverse("api:shows" if has_read else "api:tokens"),
    }
    status = 422 if form.errors else 200
    response = render(request, f"people/{names}.html", context, status=status)
    if secret:
        response["Cache-Control"] = "no-store"  # on this page and nowhere else
    return response


def _made(form: TokenForm, create: Callable[..., tuple[ApiToken, str]], **owner: Any) -> str:
    """The new token's secret; empty when the form says what is wrong."""
    if not form.is_valid():
        return ""
    try:
        return create(**owner, **form.token_fields())[1]
    except ValidationError as error:
        add_errors(form, error)
        return ""


def _revoke(request: HttpRequest, tokens: QuerySet[ApiToken], token_id: UUID) -> None:
    token = tokens.filter(pk=token_id).first()
    if token is None:
        raise Http404("There is no such token.")
    revoke_token(token=token)
    messages.success(request, f"“{token.name}” works no more.")


def _own_page(request: HttpRequest, form: TokenForm, secret: str = "") -> HttpResponse:
    user = person(request)
    shows = shows_of_member(user)
    tokens = tokens_of_person(user)
    return _page(request, "tokens", tokens=tokens, shows=shows, form=form, secret=secret)


@require_GET
@login_required
def own(request: HttpRequest) -> HttpResponse:
    """The person's tokens, and a form for another one."""
    return _own_page(request, TokenForm(shows=shows_of_member(person(request))))


@post_or_back("people:tokens")
@login_required
def create_own(request: HttpRequest) -> HttpResponse:
    """Make one and show its secret, this once."""
    user = person(request)
    form = TokenForm(request.POST, shows=shows_of_member(user))
    return _own_page(request, form, _made(form, create_token, user=user))


@post_or_back("people:tokens")
@login_required
def revoke_own(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """End one, at once."""
    _revoke(request, tokens_of_person(person(request)), token_id)
    return redirect("people:tokens")


def _admin(request: HttpRequest) -> Membership:
    """The current organisation's membership, an admin's at least (else 403)."""
    current = current_membership(request)
    return require_role(person(request), current.organization_id, Role.ADMIN)


def _organization_page(
    request: HttpRequest, membership: Membership, form: TokenForm, secret: str = ""
) -> HttpResponse:
    return _page(
        request,
        "organization_tokens",
        tokens=tokens_of_organization(membership.organization),
        shows=shows_of(membership.organization),
        form=form,
        secret=secret,
        membership=membership,
    )


@require_GET
@login_required
def of_organization(request: HttpRequest) -> HttpResponse:
    """The current organisation's tokens, and a form for another one."""
    membership = _admin(request)
    form = OrganizationTokenForm(shows=shows_of(membership.organization))
    return _organization_page(request, membership, form)


@post_or_back("people:organization_tokens")
@login_required
def create_for_organization(request: HttpRequest) -> HttpResponse:
    """Make one and show its secret, this once."""
    membership = _admin(request)
    form = OrganizationTokenForm(request.POST, shows=shows_of(membership.organization))
    secret = _made(form, create_organization_token, actor=membership)
    return _organization_page(request, membership, form, secret)


@post_or_back("people:organization_tokens")
@login_required
def revoke_of_organization(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """End one, at once."""
    _revoke(request, tokens_of_organization(_admin(request).organization), token_id)
    return redirect("people:organization_tokens")

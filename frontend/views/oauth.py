"""Letting an app of somebody else work for one: OAuth 2, by allauth's provider."""

from contextlib import nullcontext
from http import HTTPStatus
from typing import Any

from allauth.idp.oidc import views
from allauth.idp.oidc.models import Client
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csp import csp_override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.bearers import end_access, refresh_secret, while_not_ended
from apps.accounts.oauth import places_of
from apps.accounts.scopes import Scope
from apps.core.addresses import client_address, listener_address
from apps.core.buckets import spend_from


@require_http_methods(["GET", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    """The page that asks the person, and the way back to the app with their answer."""
    if reason := _refusal(request):
        return render(
            request, "idp/oidc/error.html", {"error": {"description": reason}}, status=400
        )
    # A browser applies form-action to where a form's answer leads as well: back to the app.
    client = Client.objects.filter(pk=request.GET.get("client_id", "")).first()
    policy: dict[str, Any] = dict(settings.SECURE_CSP)
    policy["form-action"] = [*policy["form-action"], *(places_of(client) if client else [])]
    response: HttpResponse = csp_override(policy)(views.authorization)(request)
    return response


def _refusal(request: HttpRequest) -> str:
    """What allauth would let pass; empty when there is nothing to say."""
    asked = request.GET
    if "\0" in asked.get("client_id", ""):  # PostgreSQL takes none
        return "There is no such app."
    if request.method != "GET":
        return ""
    # RFC 9700, 2.1.1: of the two ways to prove it, "plain" proves nothing to whoever listens in.
    if not asked.get("code_challenge") or asked.get("code_challenge_method") != "S256":
        return "This app doesn’t prove who it is: it has to use PKCE with S256."
    if "none" in asked.get("prompt", "").split():
        return "This app wants to be let in without asking you."
    return ""


@csrf_exempt
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """Secrets for an app that comes with a code or with a refresh token (RFC 6749, 3.2)."""
    if refusal := _door(request):
        return refusal
    is_refresh = request.POST.get("grant_type") == Client.GrantType.REFRESH_TOKEN
    shown = request.POST.get("refresh_token", "") if is_refresh else ""
    with while_not_ended(shown) if shown else nullcontext():
        response: HttpResponse = views.token(request)
    return response


@csrf_exempt
@require_POST
def revoke(request: HttpRequest) -> HttpResponse:
    """An app signs itself off (RFC 7009); with a refresh token go the access tokens (2.1)."""
    if refusal := _door(request):
        return refusal
    secret = refresh_secret(request.POST.get("token", ""))
    response: HttpResponse = views.revoke(request)
    if secret is not None:
        end_access(secret)
    return response


def _door(request: HttpRequest) -> HttpResponse | None:
    """Who comes too often, and who shows what no app of ours has; None for everybody else."""
    peer, forwarded = request.META.get("REMOTE_ADDR"), request.headers.get("X-Forwarded-For", "")
    address = listener_address(client_address(peer, forwarded))
    spent = spend_from(f"oauth:{address}", settings.API_RATE_OAUTH)
    if spent is not None and not spent.is_allowed:
        headers = {"Retry-After": str(spent.wait_seconds)}
        return _error("temporarily_unavailable", HTTPStatus.TOO_MANY_REQUESTS, headers)
    # Apps have no secret. allauth would compare one with a slow hash, at anybody's request.
    has_header = "Authorization" in request.headers
    has_secret = bool(request.GET) or "client_secret" in request.POST or has_header
    if has_secret or "\0" in request.POST.get("client_id", ""):
        # RFC 6749, 5.2: the scheme that was tried.
        headers = {"WWW-Authenticate": 'Basic realm="Longwave"'} if has_header else {}
        return _error("invalid_client", HTTPStatus.UNAUTHORIZED, headers)
    return None


def _error(code: str, status: HTTPStatus, headers: dict[str, str]) -> JsonResponse:
    """As RFC 6749, 5.2 wants it."""
    return JsonResponse(
        {"error": code}, status=status, headers=headers | {"Cache-Control": "no-store"}
    )


@require_GET
def metadata(request: HttpRequest) -> JsonResponse:
    """Where everything is, for apps (RFC 8414)."""
    base = settings.BASE_URL
    document: dict[str, Any] = {
        "issuer": base,
        "authorization_endpoint": base + reverse("idp:oidc:authorization"),
        "token_endpoint": base + reverse("idp:oidc:token"),
        "revocation_endpoint": base + reverse("idp:oidc:revoke"),
        "scopes_supported": Scope.values,
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
    }
    return JsonResponse(document)

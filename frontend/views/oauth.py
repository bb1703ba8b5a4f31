"""Letting an app of somebody else work for one: OAuth 2, by allauth's provider."""

from typing import Any

from allauth.idp.oidc.models import Client
from allauth.idp.oidc.views import authorization
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts.oauth import places_of
from apps.accounts.scopes import Scope


@require_http_methods(["GET", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    """The page that asks the person, and the way back to the app with their answer."""
    if request.method == "GET" and (reason := _refusal(request)):
        return render(
            request, "idp/oidc/error.html", {"error": {"description": reason}}, status=400
        )
    # A browser applies form-action to where a form's answer leads as well: back to the app.
    client = Client.objects.filter(pk=request.GET.get("client_id", "")).first()
    policy: dict[str, Any] = dict(settings.SECURE_CSP)
    policy["form-action"] = [*policy["form-action"], *(places_of(client) if client else [])]
    response: HttpResponse = csp_override(policy)(authorization)(request)
    return response


def _refusal(request: HttpRequest) -> str:
    """What allauth would let pass; empty when there is nothing to say."""
    asked = request.GET
    # RFC 9700, 2.1.1: of the two ways to prove it, "plain" proves nothing to whoever listens in.
    if not asked.get("code_challenge") or asked.get("code_challenge_method") != "S256":
        return "This app doesn’t prove who it is: it has to use PKCE with S256."
    if "none" in asked.get("prompt", "").split():
        return "This app wants to be let in without asking you."
    return ""


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

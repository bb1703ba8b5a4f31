"""Addresses by which apps of others are let in; allauth looks for them under these names."""

from django.urls import include, path

from frontend.views import oauth

_oidc = [
    path("oauth/authorize", oauth.authorize, name="authorization"),
    path("oauth/token", oauth.token, name="token"),
    path("oauth/revoke", oauth.revoke, name="revoke"),
]
_idp = [path("", include((_oidc, "oidc")))]
urlpatterns = [
    path("", include((_idp, "idp"))),
    path(".well-known/oauth-authorization-server", oauth.metadata, name="oauth-metadata"),
]

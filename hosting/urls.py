"""The control plane's addresses: pages, API and sign-in. Media and feeds: ``data_urls``."""

from django.contrib import admin
from django.urls import include, path

from hosting.health import health

urlpatterns = [
    path("healthz", health, name="health"),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("api/v1/docs/", include("frontend.urls_reference")),
    path("api/v1/", include("api.urls")),
    path("", include("frontend.urls_oauth")),
    path("", include("frontend.urls_people")),
    path("studio/organization/webhooks/", include("frontend.urls_webhooks")),
    path("studio/", include("frontend.urls_studio")),
    path("", include("frontend.urls_platform")),
    path("", include("frontend.urls_public")),
]

handler400 = "hosting.refusals.bad_request"
handler403 = "hosting.refusals.forbidden"
handler404 = "hosting.refusals.not_found"
handler500 = "hosting.refusals.failed"

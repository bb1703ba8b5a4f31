"""Addresses of the public pages."""

from django.conf import settings
from django.urls import path

from frontend.views import public, styleguide

app_name = "public"
urlpatterns = [
    path("", public.front, name="front"),
    path("how-we-count/", public.how_we_count, name="how-we-count"),
    path("privacy/", public.privacy, name="privacy"),
    path("shows/<str:handle>/", public.show_page, name="show"),
    path("shows/<str:handle>/<slug:slug>/", public.episode_page, name="episode"),
]
if settings.DEBUG:
    urlpatterns += [path("styleguide/", styleguide.styleguide, name="styleguide")]

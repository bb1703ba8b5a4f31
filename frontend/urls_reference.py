"""Addresses of the API's reference, beside the API itself."""

from django.urls import path

from frontend.views import reference

app_name = "reference"
urlpatterns = [
    path("", reference.overview, name="overview"),
    path("<slug:slug>/", reference.chapter, name="chapter"),
]

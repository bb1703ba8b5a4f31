"""Addresses of uploads and of the files that they have become."""

from django.urls import path

from api.uploads.views import (
    AssetView,
    CompleteView,
    OrganizationUploadsView,
    PartUrlsView,
    UploadsView,
    UploadView,
)

_UPLOAD = "uploads/<uuid:upload_id>"

upload_urlpatterns = [
    path(
        "organizations/<uuid:organization_id>/uploads/",
        OrganizationUploadsView.as_view(),
        name="organization-uploads",
    ),
    path("uploads/", UploadsView.as_view(), name="uploads"),
    path(f"{_UPLOAD}/", UploadView.as_view(), name="upload"),
    path(f"{_UPLOAD}/part-urls/", PartUrlsView.as_view(), name="part-urls"),
    path(f"{_UPLOAD}/complete/", CompleteView.as_view(), name="complete-upload"),
    path("assets/<uuid:asset_id>/", AssetView.as_view(), name="asset"),
]

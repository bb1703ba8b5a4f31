"""Files: on their way in, as they came, and as they are served."""

from django.contrib.admin import action, register
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.media.models import Asset, CdnInvalidation, Rendition, StrayObject, Upload
from apps.media.uploads import abort_upload
from frontend.admin.base import StaffAdmin


@register(Upload)
class UploadAdmin(StaffAdmin[Upload]):
    """Files being sent, those begun last first."""

    live_list = "uploads"
    list_display = (
        "filename",
        "organization",
        "created_by",
        "size_bytes",
        "status",
        "created_at",
        "expires_at",
    )
    list_filter = ("status",)
    list_select_related = ("organization", "created_by")
    search_fields = ("filename", "organization__name")
    ordering = ("-id",)
    exclude = ("storage_token",)  # with it and the keys of the bucket anybody could send parts
    actions = ("abort",)

    @action(description="Throw the chosen uploads away, if they are still open")
    def abort(self, request: HttpRequest, rows: QuerySet[Upload]) -> None:
        """As whoever sends them can."""
        self.carry_out(
            request, rows, lambda upload: abort_upload(upload=upload), "Uploads thrown away"
        )


@register(Asset)
class AssetAdmin(StaffAdmin[Asset]):
    """Originals, and how far their preparation is."""

    list_display = (
        "filename",
        "organization",
        "size_bytes",
        "status",
        "stage",
        "progress",
        "attempts",
        "error_code",
        "created_at",
    )
    list_filter = ("status",)
    list_select_related = ("organization",)
    search_fields = ("filename", "organization__name", "error_code")
    ordering = ("-id",)


@register(Rendition)
class RenditionAdmin(StaffAdmin[Rendition]):
    """What is served."""

    list_display = ("asset", "codec", "size_bytes", "duration_ms", "bitrate_bps", "created_at")
    list_select_related = ("asset",)
    search_fields = ("sha256", "asset__filename")
    ordering = ("-id",)


@register(StrayObject)
class StrayObjectAdmin(StaffAdmin[StrayObject]):
    """Stored objects that no row names."""

    list_display = ("key", "size_bytes", "unreferenced_since")
    search_fields = ("key",)
    ordering = ("-unreferenced_since",)


@register(CdnInvalidation)
class CdnInvalidationAdmin(StaffAdmin[CdnInvalidation]):
    """What the CDN has not been told to forget yet."""

    list_display = ("id", "attempts", "created_at", "due_at")
    ordering = ("-due_at",)

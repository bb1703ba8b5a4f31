"""Access logs: where they lie, how far each file was read, and which lines make no sense."""

from django.contrib.admin import register
from django.contrib.admin.options import TabularInline
from django.http import HttpRequest

from apps.downloads.logs.models import BadLine, LogFile, LogSource
from frontend.admin.base import StaffAdmin


@register(LogSource)
class LogSourceAdmin(StaffAdmin[LogSource]):
    """Folders and buckets; ``manage.py log_source`` names and changes them."""

    list_display = ("name", "organization", "format", "place", "is_active", "complete_at", "error")
    list_filter = ("is_active", "format")
    list_select_related = ("organization",)
    search_fields = ("name", "place")
    ordering = ("name",)


class BadLineInline(TabularInline[BadLine, LogFile]):
    """The first lines of a file that are no records."""

    model = BadLine
    fields = ("line_number", "reason", "excerpt")
    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whoever got past the site's door."""
        return self.admin_site.has_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Never."""
        return False


@register(LogFile)
class LogFileAdmin(StaffAdmin[LogFile]):
    """Files, those found last first."""

    list_display = (
        "name",
        "source",
        "state",
        "size_bytes",
        "position",
        "hits",
        "bad_lines",
        "read_at",
        "error",
    )
    list_filter = ("state", "source")
    list_select_related = ("source",)
    search_fields = ("name",)
    ordering = ("-id",)
    inlines = (BadLineInline,)

"""Pages, templates and static files."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class FrontendConfig(AppConfig):
    name = "frontend"
    verbose_name = "Hits"  # in the admin: see models.py


class StaffAdminConfig(admin_apps.AdminConfig):
    """Django's admin, with a door of our own."""

    default = False
    default_site = "frontend.staff_site.StaffSite"

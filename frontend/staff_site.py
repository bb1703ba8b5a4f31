"""The door of ``/admin/``: one signs in as everywhere; for anybody but staff it isn't there."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

type View = Callable[..., HttpResponseBase]


class StaffSite(AdminSite):
    """Stock, but for the door."""

    site_header = "Longwave: administration"
    site_title = "Longwave"
    index_title = "Everything, to look at"

    def register(  # type: ignore[override]  # of every kind of model
        self, models: Any, admin_class: Any = None, **options: Any
    ) -> None:
        """Only what is made for this site: packages bring pages that change rows by themselves."""
        if getattr(admin_class, "only_shows", False):
            super().register(models, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff, whatever permissions they were given: nothing can be changed here anyway."""
        return bool(request.user.is_active and getattr(request.user, "is_staff", False))

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Strangers sign in first; whoever has, and is no staff, finds nothing."""
        inner = super().admin_view(view, cacheable)

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **parts: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not self.has_permission(request):
                raise Http404("There is no such page.")
            answer: HttpResponseBase = inner(request, *args, **parts)
            return answer

        return guarded

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Ours, with all that belongs to it: limits, second factors."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get("next") or "/admin/")
        if not self.has_permission(request):
            raise Http404("There is no such page.")
        return redirect("admin:index")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Ours asks first."""
        return redirect("account_logout")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Ours."""
        return redirect("account_change_password")

    def password_change_done(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Nobody comes here: ours says so by itself."""
        return redirect("admin:index")

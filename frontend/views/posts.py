"""Views that only change something: what a GET of their address answers."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

type View = Callable[..., HttpResponse]


def post_or_back(page: str, *names: str) -> Callable[[View], View]:
    """Let POST through, and lead GET to the page that has the button.

    GET comes when somebody's session ended before they pressed it (the sign-in leads to the address
    that was posted to), or goes to an address again that has shown a form's errors. `names` are
    those of the address's parts that belong to the page's as well.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, **parts: Any) -> HttpResponse:
            if request.method == "POST":
                return view(request, **parts)
            back: HttpResponse = redirect(page, **{name: parts[name] for name in names})
            return back

        return require_http_methods(["GET", "HEAD", "POST"])(answer)

    return decorate

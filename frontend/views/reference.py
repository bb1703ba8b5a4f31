"""The reference of the API: public, the same for everybody, and fast."""

import hashlib
from functools import cache

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import get_conditional_response
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from frontend.reference.chapters import reference


@require_safe
def overview(request: HttpRequest) -> HttpResponseBase:
    """What holds for all operations, and the list of them."""
    return _page(request, "")


@require_safe
def chapter(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Everything about the operations of one chapter."""
    if reference().chapter(slug) is None:
        raise Http404("There is no such chapter.")
    return _page(request, slug)


def _page(request: HttpRequest, slug: str) -> HttpResponseBase:
    """With a tag, so that a browser that has it gets 304: only the header differs by person."""
    found = reference()
    context = {"reference": found, "chapter": found.chapter(slug), "content": _content(slug)}
    page: HttpResponse = render(request, "reference/page.html", context)
    page["ETag"] = f'"{hashlib.sha256(page.content).hexdigest()[:32]}"'
    return get_conditional_response(request, etag=page["ETag"], response=page) or page


@cache
def _content(slug: str) -> SafeString:
    """A chapter takes a tenth of a second to render and is never another one in this process."""
    found = reference()
    name = "reference/_chapter.html" if slug else "reference/_overview.html"
    return render_to_string(name, {"reference": found, "chapter": found.chapter(slug)})

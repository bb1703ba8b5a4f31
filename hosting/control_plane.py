"""Django's ASGI handler for pages and the API: one thread for all of a request."""

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import get_resolver

from apps.core.vitals import tally


class ControlPlane(ASGIHandler):
    """Middleware, view and template run in one go, as they do under WSGI.

    Django's own handler awaits each middleware that is not written twice in a thread, twice: a
    dozen changes of thread before a page that does nothing is out, and each waits for the event
    loop. Here views and middleware are plain functions. An async view would still be answered, by
    way of an event loop made for it: what is async by nature belongs into the data plane.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        """The chain of plain functions, whatever the handler asks for, and the URLs.

        Django would read those with the first page: it would wait, and what they are made of would
        not be there yet when the interpreter sets aside what lasts.
        """
        super().load_middleware(is_async=False)
        _ = get_resolver().reverse_dict

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """The response of the chain, made in this request's thread."""
        response = await sync_to_async(self.get_response, thread_sensitive=True)(request)
        tally.responses += 1
        if response.status_code >= 500:
            tally.errors += 1
        return response

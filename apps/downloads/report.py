"""What one response tells the counter: a hit for each time that something of it was sent."""

from django.core.handlers.asgi import ASGIRequest
from django.http.response import HttpResponseBase

from apps.core.addresses import client_address, host_of
from apps.core.clock import now
from apps.core.ids import Serial
from apps.downloads.hit import HitSubject, hit_message, request_members
from apps.downloads.hits import record_message
from apps.media.delivery import Answer, is_passed_on, viewer_address, viewer_country
from apps.media.serving import MediaResponse

_response_ids = Serial()
_FORWARDED = "X-Forwarded-For"
_COUNTED_METHODS = {"GET", "HEAD"}  # HEAD is dropped by the rules, which say so to the user


class Report:
    """An `OnSent` that turns what was sent into hits; their event time is the request's begin."""

    def __init__(self, request: ASGIRequest, subject: HitSubject, answer: Answer) -> None:
        self._request = request
        self._subject = subject
        self._is_for_cdn = answer.is_for_cdn
        self._at = int(now().timestamp() * 1000)
        self._status = 0
        self._members = ""

    def begin(self, response: HttpResponseBase) -> None:
        """To be called with the response: one that sends nothing of the file is told at once."""
        self._status = response.status_code
        if self._request.method in _COUNTED_METHODS and not isinstance(response, MediaResponse):
            self([], True)

    def __call__(self, sent: list[tuple[int, int]], is_final: bool) -> None:
        self._members = self._members or self._describe()
        record_message(hit_message(self._subject, self._members, sent, is_final=is_final))

    def _describe(self) -> str:
        """Rendered when something is to be told, and only once."""
        headers = self._request.headers
        client = self._request.scope.get("client")
        ip = client_address(client[0] if client else None, headers.get(_FORWARDED, ""))
        # Whether somebody who proved to be CloudFront speaks for a listener.
        is_passed_on_here = not self._is_for_cdn and is_passed_on(headers)
        if self._is_for_cdn or is_passed_on_here:
            ip = viewer_address(headers) or ip
        return request_members(
            _response_ids.new(),
            at=self._at,
            method=self._request.method or "",
            status=self._status,
            ip=ip,
            agent=headers.get("User-Agent", ""),
            asked_range=headers.get("Range", ""),
            referrer=host_of(headers.get("Referer", "")),
            via="cdn" if self._is_for_cdn else "",
            country=viewer_country(headers) if is_passed_on_here else "",
        )

"""What a server's `send` raises when nobody takes its bytes any more."""

from django.core.exceptions import RequestAborted


class ClientGoneError(RequestAborted, ConnectionError):
    """The client left, or has taken nothing for too long.

    An OSError, as ASGI says from version 2.4 on; and what Django's handler knows as the end of a
    request, after which it still closes the response and gives its database connection back.

    `undelivered` is how many of the last bytes that the kernel had taken did not arrive.
    """

    def __init__(self, message: str = "the client left", *, undelivered: int = 0) -> None:
        super().__init__(message)
        self.undelivered = undelivered

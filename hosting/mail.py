"""Which mail backend an address such as ``smtp+tls://user:secret@mail.example.com:587`` means."""

from typing import Any
from urllib.parse import unquote, urlsplit

SMTP_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


def mailer_from_url(url: str) -> dict[str, Any]:
    """An entry of Django's ``MAILERS``; schemes: console, file, smtp, smtp+tls, smtps.

    Raises ValueError for any other scheme, so that a typing error stops the start.
    """
    parts = urlsplit(url)
    if parts.scheme == "console":
        return {"BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if parts.scheme == "file":
        return {
            "BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "OPTIONS": {"file_path": unquote(parts.path)},
        }
    if parts.scheme not in SMTP_PORTS or not parts.hostname:
        raise ValueError(
            f"LONGWAVE_EMAIL_URL must be console://, file:///folder, smtp://, smtp+tls:// or "
            f"smtps:// with a host, not {parts.scheme}://"
        )
    return {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {
            "host": parts.hostname,
            "port": parts.port or SMTP_PORTS[parts.scheme],
            "username": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "use_tls": parts.scheme == "smtp+tls",
            "use_ssl": parts.scheme == "smtps",
            "timeout": 10,
        },
    }

"""What a service refuses because of how things are: a problem with the service's own code."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from django.core.exceptions import ValidationError
from rest_framework.fields import get_error_detail

from api.base.problems import ProblemError, details
from apps.media.admission import UploadRefusedError
from podcasts.audio import AudioRefusedError

# Everything else is a value that can't be accepted: 400, with the code "invalid".
_STATUSES = {
    "not_found": HTTPStatus.NOT_FOUND,
    "audio_missing": HTTPStatus.CONFLICT,
    "audio_failed": HTTPStatus.CONFLICT,
    "number_missing": HTTPStatus.CONFLICT,
    "already_public": HTTPStatus.CONFLICT,
    "not_public": HTTPStatus.CONFLICT,
    "past_date": HTTPStatus.BAD_REQUEST,
    "busy": HTTPStatus.SERVICE_UNAVAILABLE,
    "too_strong": HTTPStatus.FORBIDDEN,
    "last_owner": HTTPStatus.CONFLICT,
    "already_member": HTTPStatus.CONFLICT,
    "limit_reached": HTTPStatus.CONFLICT,
    "webhook_disabled": HTTPStatus.CONFLICT,
    "delivery_pending": HTTPStatus.CONFLICT,
    "too_often": HTTPStatus.TOO_MANY_REQUESTS,
    "too_many": HTTPStatus.TOO_MANY_REQUESTS,
    "not_sent": HTTPStatus.SERVICE_UNAVAILABLE,
    "invitation_over": HTTPStatus.NOT_FOUND,
    "invitation_used": HTTPStatus.CONFLICT,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "no_room": HTTPStatus.INSUFFICIENT_STORAGE,
    "no_such_part": HTTPStatus.BAD_REQUEST,
    "too_many_uploads": HTTPStatus.CONFLICT,
    "upload_closed": HTTPStatus.CONFLICT,
    "parts_differ": HTTPStatus.CONFLICT,
}


@contextmanager
def telling_refusals() -> Iterator[None]:
    """Within this, what a service refuses is raised as the problem that says so."""
    try:
        yield
    except ValidationError as error:
        raise refusal_of(error) from error
    except (AudioRefusedError, UploadRefusedError) as error:
        raise ProblemError(_STATUSES[error.code], error.code, error.message) from error


def refusal_of(error: ValidationError) -> ProblemError:
    """The problem that tells what a service refused."""
    found = list(details(get_error_detail(error)))
    first = found[0]
    status = _STATUSES.get(first["code"])
    if status is not None and len(found) == 1:
        refusal = ProblemError(status, first["code"], first["detail"])
        refusal.errors = found if first["pointer"] != "#" else None
        return refusal
    detail = first["detail"] if len(found) == 1 else f"{len(found)} values can’t be accepted."
    refusal = ProblemError(HTTPStatus.BAD_REQUEST, "invalid", detail)
    refusal.errors = found
    return refusal

"""What the person who asks may do with what a page shows."""

from typing import cast
from uuid import UUID

from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import HttpRequest

from apps.accounts.access import require_role
from apps.accounts.models import User
from apps.accounts.roles import Role


def person(request: HttpRequest) -> User:
    """Who is signed in; only for views behind ``login_required``."""
    return cast("User", request.user)


def standing(request: HttpRequest, organization_id: UUID) -> dict[str, bool]:
    """For templates: buttons that a role can't use aren't shown."""
    role = Role(require_role(request.user, organization_id).role)
    return {
        "may_edit": role.includes(Role.EDITOR),
        "may_administer": role.includes(Role.ADMIN),
    }


def add_errors(form: BaseForm, error: ValidationError) -> None:
    """Show what a service refused at its fields; what has no field here, above the form."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for field, errors in error.error_dict.items():
        form.add_error(field if field in form.fields else None, errors)

"""As what somebody is let into the organisation that an address names, or asks as a person."""

from uuid import UUID

from rest_framework.exceptions import PermissionDenied

from api.base.problems import ProblemError
from api.base.views import ApiView
from apps.accounts.access import require_role
from apps.accounts.actors import Actor, TokenActor, person_of, show_limit_of
from apps.accounts.models import Membership, User
from apps.accounts.roles import Role

SESSION_REQUIRED = "`session_required`: by a token nobody becomes more than an editor."
PERSON_REQUIRED = "`person_required`: an organisation's token, or one for one show, can't."


class OfOrganization(ApiView):
    """A view below ``/organizations/<organization_id>/``."""

    def membership(self, needed: Role = Role.ANALYST) -> Membership:
        """As what the actor is let in; Http404, PermissionDenied."""
        organization_id: UUID = self.kwargs["organization_id"]
        return require_role(self.request.user, organization_id, needed)


def require_giver(actor: Actor, role: Role) -> None:
    """Refuse to give a strong role by a token: one that was stolen would make itself last."""
    if isinstance(actor, TokenActor) and not Role.EDITOR.includes(role):
        detail = f"Only a person who has signed in can make somebody {role.label.lower()}."
        raise PermissionDenied(detail, "session_required")


def require_unlimited_person(actor: Actor) -> User:
    """Who founds or joins an organisation, signed in or by a token for all that is theirs."""
    person = person_of(actor)
    if person is None or show_limit_of(actor) is not None:
        raise ProblemError(
            403,
            "person_required",
            "This takes a person, or a person’s token that is not for one show only.",
        )
    return person

"""People, organisations, and the keys of their programs."""

from django.contrib.admin import action, display, register
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.accounts.models import ApiToken, Invitation, Membership, Organization, User
from apps.accounts.services import deactivate_person
from apps.accounts.tokens import revoke_token
from apps.core.clock import now
from frontend.admin.base import StaffAdmin


@register(User)
class PersonAdmin(StaffAdmin[User]):
    """Everybody who can sign in."""

    list_display = ("email", "name", "is_active", "is_staff", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    ordering = ("-id",)  # ids grow with time
    exclude = ("password", "groups", "user_permissions")
    actions = ("close_accounts",)

    @action(description="Close the chosen accounts: they can sign in no more")
    def close_accounts(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        """Whatever they have open ends at once; their memberships stay."""
        others = [person for person in rows if person != request.user]  # nobody by mistake
        self.carry_out(
            request, others, lambda person: deactivate_person(user=person), "Accounts closed"
        )


@register(Organization)
class OrganizationAdmin(StaffAdmin[Organization]):
    """Tenants."""

    list_display = ("name", "id", "created_at")
    search_fields = ("name",)
    ordering = ("-id",)


@register(Membership)
class MembershipAdmin(StaffAdmin[Membership]):
    """Who belongs where, as what."""

    list_display = ("user", "organization", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "organization")
    search_fields = ("user__email", "organization__name")
    ordering = ("-id",)


@register(Invitation)
class InvitationAdmin(StaffAdmin[Invitation]):
    """Offers to join; the secrets of their addresses are nowhere."""

    list_display = ("email", "organization", "role", "created_at", "expires_at", "accepted_at")
    list_select_related = ("organization",)
    search_fields = ("email", "organization__name")
    ordering = ("-id",)
    exclude = ("token_sha256",)


@register(ApiToken)
class TokenAdmin(StaffAdmin[ApiToken]):
    """Keys for programs, by the beginning of their secrets; even the hashes are not shown."""

    list_display = (
        "name",
        "prefix",
        "user",
        "organization",
        "scopes",
        "state",
        "last_used_at",
        "expires_at",
    )
    list_select_related = ("user", "organization")
    search_fields = ("name", "prefix", "user__email", "organization__name")
    ordering = ("-id",)
    exclude = ("secret_sha256",)
    actions = ("revoke",)

    @display(description="state")
    def state(self, token: ApiToken) -> str:
        """Whether it opens anything."""
        return token.status(now())

    @action(description="Revoke the chosen tokens")
    def revoke(self, request: HttpRequest, rows: QuerySet[ApiToken]) -> None:
        """They open nothing any more; what they have open ends at once."""
        self.carry_out(request, rows, lambda token: revoke_token(token=token), "Tokens revoked")

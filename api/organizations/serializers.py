"""Organisations, members and invitations as programs see them."""

from typing import Any

from rest_framework import serializers

from api.base.rows import Computed, RowSerializer
from apps.accounts.models import Invitation, Membership, Organization, User
from apps.accounts.roles import Role


class OrganizationSerializer(RowSerializer[Organization]):
    """An organisation, and as what one belongs to it."""

    role = Computed(
        lambda organization: organization.own_role,  # annotated by organizations_of
        serializers.ChoiceField(choices=Role.choices, help_text="One’s own, or the token’s."),
        reads=[],
    )

    class Meta:
        model = Organization
        fields = ["id", "name", "role", "created_at"]
        read_only_fields = fields


class OrganizationInput(serializers.ModelSerializer[Organization]):
    """What can be said about an organisation."""

    class Meta:
        model = Organization
        fields = ["name"]


class PersonSerializer(RowSerializer[User]):
    """Somebody who works in an organisation."""

    class Meta:
        model = User
        fields = ["id", "name", "email"]
        read_only_fields = fields


class MemberSerializer(RowSerializer[Membership]):
    """A person's role in an organisation."""

    person = PersonSerializer(source="user")

    class Meta:
        model = Membership
        fields = ["id", "person", "role", "created_at"]
        read_only_fields = fields


class MemberInput(serializers.Serializer[Any]):
    """Another role for a member."""

    role = serializers.ChoiceField(
        choices=Role.choices, help_text="Neither it nor the one before may be above your own."
    )


class InvitationSerializer(RowSerializer[Invitation]):
    """An offer that is open; the link that accepts it stands in the mail alone."""

    invited_by = PersonSerializer(allow_null=True)

    class Meta:
        model = Invitation
        fields = ["id", "email", "role", "invited_by", "created_at", "expires_at"]
        read_only_fields = fields


class InvitationInput(serializers.Serializer[Any]):
    """Whom to invite, and as what."""

    email = serializers.EmailField(max_length=254)
    role = serializers.ChoiceField(choices=Role.choices, help_text="Not above your own.")


class AcceptanceInput(serializers.Serializer[Any]):
    """The secret of an invitation."""

    token = serializers.CharField(
        max_length=100, help_text="What stands behind `/invitations/` in the mail’s link."
    )

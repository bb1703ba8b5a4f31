"""Addresses of organisations and their people."""

from django.urls import path

from api.organizations.invitation_views import (
    AcceptInvitationView,
    InvitationsView,
    InvitationView,
)
from api.organizations.me_views import MeView
from api.organizations.member_views import MembersView, MemberView
from api.organizations.views import OrganizationsView, OrganizationView
from api.trash.views import TrashView

_ORGANIZATION = "organizations/<uuid:organization_id>"

organization_urlpatterns = [
    path("me/", MeView.as_view(), name="me"),
    path("organizations/", OrganizationsView.as_view(), name="organizations"),
    path(f"{_ORGANIZATION}/", OrganizationView.as_view(), name="organization"),
    path(f"{_ORGANIZATION}/members/", MembersView.as_view(), name="members"),
    path(f"{_ORGANIZATION}/members/<int:member_id>/", MemberView.as_view(), name="member"),
    path(f"{_ORGANIZATION}/invitations/", InvitationsView.as_view(), name="invitations"),
    path(
        f"{_ORGANIZATION}/invitations/<uuid:invitation_id>/",
        InvitationView.as_view(),
        name="invitation",
    ),
    path("invitations/accept/", AcceptInvitationView.as_view(), name="accept-invitation"),
    path(f"{_ORGANIZATION}/trash/", TrashView.as_view(), name="trash"),
]

"""Addresses of the pages about organisations and their people."""

from django.urls import path

from frontend.views import people, tokens

app_name = "people"
urlpatterns = [
    path("studio/organization/", people.organization, name="organization"),
    path("studio/organization/rename/", people.rename, name="rename"),
    path("studio/organization/new/", people.found, name="found"),
    path("studio/organization/invitations/", people.invite, name="invite"),
    path(
        "studio/organization/invitations/<uuid:invitation_id>/withdraw/",
        people.withdraw_invitation,
        name="withdraw_invitation",
    ),
    path(
        "studio/organization/members/<int:membership_id>/role/",
        people.change_role,
        name="change_role",
    ),
    path(
        "studio/organization/members/<int:membership_id>/remove/",
        people.remove_member,
        name="remove_member",
    ),
    path("studio/organization/tokens/", tokens.of_organization, name="organization_tokens"),
    path(
        "studio/organization/tokens/new/",
        tokens.create_for_organization,
        name="organization_tokens_new",
    ),
    path(
        "studio/organization/tokens/<uuid:token_id>/revoke/",
        tokens.revoke_of_organization,
        name="organization_tokens_revoke",
    ),
    path("studio/tokens/", tokens.own, name="tokens"),
    path("studio/tokens/new/", tokens.create_own, name="tokens_new"),
    path("studio/tokens/<uuid:token_id>/revoke/", tokens.revoke_own, name="tokens_revoke"),
    path("studio/switch/", people.switch, name="switch"),
    path("invitations/<str:token>/", people.invitation, name="invitation"),
]

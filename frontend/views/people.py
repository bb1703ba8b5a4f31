"""Pages about an organisation and its people."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts import invitations, services
from apps.accounts.access import (
    choose_organization,
    current_membership,
    get_member,
    organization_members,
    require_role,
)
from apps.accounts.models import Membership
from apps.accounts.roles import Role
from frontend.forms.people import InvitationForm, OrganizationForm, RoleForm, roles_up_to
from frontend.views.posts import post_or_back
from frontend.views.studio.standing import person


def _membership(request: HttpRequest, needed: Role) -> Membership:
    """The current organisation's membership, with at least this role (else 403)."""
    current = current_membership(request)
    return require_role(person(request), current.organization_id, needed)


def _organization_page(
    request: HttpRequest,
    membership: Membership,
    *,
    invitation_form: InvitationForm | None = None,
    organization_form: OrganizationForm | None = None,
) -> HttpResponse:
    organization = membership.organization
    is_admin = Role(membership.role).includes(Role.ADMIN)
    has_errors = invitation_form is not None or organization_form is not None
    context = {
        "membership": membership,
        "is_admin": is_admin,
        "is_owner": membership.role == Role.OWNER,
        "members": organization_members(organization),
        "invitations": invitations.open_invitations(organization) if is_admin else [],
        "roles": roles_up_to(membership.role),
        "invitation_form": invitation_form or InvitationForm(actor=membership),
        "organization_form": organization_form or OrganizationForm(instance=organization),
    }
    return render(request, "people/organization.html", context, status=422 if has_errors else 200)


@require_GET
@login_required
def organization(request: HttpRequest) -> HttpResponse:
    """The members, open invitations and settings of the current organisation."""
    return _organization_page(request, _membership(request, Role.ANALYST))


@post_or_back("people:organization")
@login_required
def rename(request: HttpRequest) -> HttpResponse:
    """Give the current organisation another name."""
    membership = _membership(request, Role.OWNER)
    form = OrganizationForm(request.POST)
    if not form.is_valid():
        return _organization_page(request, membership, organization_form=form)
    services.rename_organization(
        organization=membership.organization, name=form.cleaned_data["name"]
    )
    messages.success(request, "The organisation has its new name.")
    return redirect("people:organization")


@post_or_back("people:organization")
@login_required
def invite(request: HttpRequest) -> HttpResponse:
    """Send an invitation to the current organisation."""
    membership = _membership(request, Role.ADMIN)
    form = InvitationForm(request.POST, actor=membership)
    if form.is_valid():
        try:
            invitations.invite(
                actor=membership,
                email=form.cleaned_data["email"],
                role=Role(form.cleaned_data["role"]),
            )
        except ValidationError as error:
            form.add_error("email", error)
        else:
            messages.success(request, f"An invitation is on its way to {form.data['email']}.")
            return redirect("people:organization")
    return _organization_page(request, membership, invitation_form=form)


@post_or_back("people:organization")
@login_required
def withdraw_invitation(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Take an open invitation of the current organisation back."""
    membership = _membership(request, Role.ADMIN)
    invitations.withdraw(organization=membership.organization, invitation_id=invitation_id)
    messages.success(request, "The invitation was withdrawn: its link no longer works.")
    return redirect("people:organization")


@post_or_back("people:organization")
@login_required
def change_role(request: HttpRequest, membership_id: int) -> HttpResponse:
    """Give a member of the current organisation another role."""
    actor = _membership(request, Role.ADMIN)
    member = get_member(actor.organization, membership_id)
    form = RoleForm(request.POST)
    if form.is_valid():
        role = Role(form.cleaned_data["role"])
        try:
            services.change_role(actor=actor, membership=member, role=role)
        except ValidationError as error:
            messages.error(request, error.messages[0])
        else:
            messages.success(request, f"{member.user} is {role.label} now.")
    return redirect("people:organization")


@post_or_back("people:organization")
@login_required
def remove_member(request: HttpRequest, membership_id: int) -> HttpResponse:
    """End a membership: an admin somebody's, anybody their own."""
    actor = _membership(request, Role.ANALYST)
    is_own = actor.pk == membership_id
    if not is_own:
        actor = _membership(request, Role.ADMIN)
    member = get_member(actor.organization, membership_id)
    try:
        services.remove_member(actor=actor, membership=member)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("people:organization")
    if is_own:
        messages.success(request, f"You left {actor.organization}.")
        return redirect("studio:home")
    messages.success(request, f"{member.user} is no longer a member.")
    return redirect("people:organization")


@post_or_back("studio:home")
@login_required
def switch(request: HttpRequest) -> HttpResponse:
    """Work under another of one's organisations from now on."""
    try:
        organization_id = UUID(request.POST.get("organization", ""))
    except ValueError:
        return HttpResponse("Choose one of your organisations.", status=400)
    choose_organization(request, organization_id)
    return redirect("studio:home")


@post_or_back("people:organization")
@login_required
def found(request: HttpRequest) -> HttpResponse:
    """Found another organisation, of which one is the owner, and switch to it."""
    form = OrganizationForm(request.POST)
    if not form.is_valid():
        messages.error(request, "An organisation needs a name of at most 100 characters.")
        return redirect("people:organization")
    name = form.cleaned_data["name"]
    try:
        founded = services.found_organization(owner=person(request), name=name)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("people:organization")
    choose_organization(request, founded.id)
    messages.success(request, f"You are the owner of {founded} now.")
    return redirect("studio:home")


@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """What an invitation's link shows: sign in or up, then accept."""
    if request.method == "POST":
        return _accept(request, token)
    found_invitation = invitations.find_invitation(token)
    if found_invitation is not None and not request.user.is_authenticated:
        request.session[invitations.INVITATION_SESSION_KEY] = token
    return render(
        request,
        "people/invitation.html",
        {
            "invitation": found_invitation,
            "role": Role(found_invitation.role).label if found_invitation else "",
            "next": reverse("people:invitation", args=[token]),
        },
        status=200 if found_invitation else 404,
    )


def _accept(request: HttpRequest, token: str) -> HttpResponse:
    if not request.user.is_authenticated:
        return redirect("people:invitation", token)
    try:
        membership = invitations.accept(user=person(request), token=token)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("people:invitation", token)
    request.session.pop(invitations.INVITATION_SESSION_KEY, None)
    choose_organization(request, membership.organization_id)
    messages.success(request, f"Welcome to {membership.organization}.")
    return redirect("studio:home")

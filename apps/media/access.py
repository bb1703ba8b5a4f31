"""The door to uploads and assets: 404 for a stranger, 403 for too weak a role.

A token for one show sees the files that it sent itself: the others may be another show's.
"""

from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import Http404

from apps.accounts.access import membership_condition, require_role
from apps.accounts.actors import Actor, show_limit_of, token_of
from apps.accounts.roles import Role
from apps.media.models import Asset, Upload


def get_upload(actor: Actor, upload_id: UUID, needed: Role = Role.EDITOR) -> Upload:
    """An upload of one of the actor's organisations."""
    upload = Upload.objects.filter(id=upload_id).select_related("asset").first()
    if upload is None or not _may_see(actor, upload):
        raise Http404("There is no such upload.")
    require_role(actor, upload.organization_id, needed, show_id=show_limit_of(actor))
    return upload


def get_asset(actor: Actor, asset_id: UUID, needed: Role = Role.EDITOR) -> Asset:
    """An asset of one of the actor's organisations."""
    asset = Asset.objects.filter(id=asset_id).select_related("upload").first()
    if asset is None or not _may_see(actor, asset.upload):
        raise Http404("There is no such file.")
    require_role(actor, asset.organization_id, needed, show_id=show_limit_of(actor))
    return asset


def uploads_of_member(actor: Actor) -> QuerySet[Upload]:
    """The uploads of all organisations that the actor belongs to, whatever their role, bare."""
    return Upload.objects.filter(_own_files(actor, "opened_with"))


def uploads_within(**within: UUID) -> QuerySet[Upload]:
    """The uploads of an ``organization`` that the caller was let into, or of a token, bare."""
    return Upload.objects.filter(**within)


def assets_of_member(actor: Actor) -> QuerySet[Asset]:
    """The files of all organisations that the actor belongs to, whatever their role, bare."""
    return Asset.objects.filter(_own_files(actor, "upload__opened_with"))


def _own_files(actor: Actor, opened_with: str) -> Q:
    token = token_of(actor)
    if token is None or token.show_id is None:
        return membership_condition(actor)
    return Q(**{opened_with: token.pk})


def _may_see(actor: Actor, upload: Upload | None) -> bool:
    token = token_of(actor)
    if token is None or token.show_id is None:
        return True
    return upload is not None and upload.opened_with_id == token.pk

"""The door to uploads and assets: 404 for a stranger, 403 for too weak a role."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.http import Http404

from apps.accounts.access import require_role
from apps.accounts.roles import Role
from apps.media.models import Asset, Upload

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from apps.accounts.models import User


def get_upload(user: "User | AnonymousUser", upload_id: UUID, needed: Role = Role.EDITOR) -> Upload:
    """An upload of one of the person's organisations."""
    upload = Upload.objects.filter(id=upload_id).select_related("asset").first()
    if upload is None:
        raise Http404("There is no such upload.")
    require_role(user, upload.organization_id, needed)
    return upload


def get_asset(user: "User | AnonymousUser", asset_id: UUID, needed: Role = Role.EDITOR) -> Asset:
    """An asset of one of the person's organisations."""
    asset = Asset.objects.filter(id=asset_id).first()
    if asset is None:
        raise Http404("There is no such file.")
    require_role(user, asset.organization_id, needed)
    return asset

"""Originals and pictures that nothing refers to: since when, which are due, and their end."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, ForeignObjectRel, OuterRef, QuerySet

from apps.media.models import Asset, Image, Rendition, Upload

type Kept = Asset | Image
_KINDS: tuple[type[Kept], ...] = (Asset, Image)  # in this order: an original holds its picture


@dataclass(frozen=True, slots=True)
class UnusedRow:
    """A row that is due, with the keys of its objects and their lengths."""

    kind: type[Kept]
    id: UUID
    description: str
    objects: dict[str, int]


def note(at: datetime) -> None:
    """Write down what is unused from this moment on, and forget it of what is used again."""
    for kind in _KINDS:
        unreferenced = _unreferenced(kind)
        unreferenced.filter(unused_since=None).update(unused_since=at)
        used_again = kind._base_manager.filter(unused_since__isnull=False)
        used_again.exclude(pk__in=unreferenced.values("pk")).update(unused_since=None)


def overdue(before: datetime) -> Iterator[UnusedRow]:
    """The rows that have been unused since then, longest first."""
    for kind in _KINDS:
        for row in _overdue(kind, before).order_by("unused_since", "pk").iterator(100):
            since = f"{row.unused_since:%Y-%m-%d %H:%M}"
            description = f"{kind._meta.verbose_name} {row.pk}, unused since {since}"
            yield UnusedRow(kind, row.pk, description, _objects(row))


@transaction.atomic
def discard(row: UnusedRow, before: datetime) -> bool:
    """Delete a row that is still due; its objects stay, for other rows may name them.

    Whoever is about to refer to the row holds its lock or has taken its note away.
    """
    rows = row.kind._base_manager.filter(pk=row.id)
    held = rows.select_for_update().first()
    if held is None or not _overdue(row.kind, before).filter(pk=row.id).exists():
        return False
    held.delete()
    if isinstance(held, Asset) and held.upload_id:
        Upload.objects.filter(id=held.upload_id).delete()
    return True


def _overdue(kind: type[Kept], before: datetime) -> QuerySet[Kept]:
    rows = _unreferenced(kind).filter(unused_since__lte=before)
    # A worker may be at it although nobody waits for the result any more.
    return rows.filter(heartbeat_at__lte=before) if kind is Asset else rows


def _unreferenced(kind: type[Kept]) -> QuerySet[Kept]:
    """The rows to which no row of any model refers, models that don't exist yet included."""
    rows: QuerySet[Kept] = kind._base_manager.all()
    for relation in kind._meta.get_fields(include_hidden=True):
        if isinstance(relation, ForeignObjectRel) and _is_use(relation):
            referring = relation.related_model._base_manager.filter(
                **{relation.field.name: OuterRef("pk")}
            )
            rows = rows.filter(~Exists(referring))
    return rows


def _is_use(relation: ForeignObjectRel) -> bool:
    """Renditions are part of their original; a key without a constraint may outlive its target."""
    is_constrained = getattr(relation.field, "db_constraint", False)
    return bool(is_constrained) and relation.related_model is not Rendition


def _objects(row: Kept) -> dict[str, int]:
    if isinstance(row, Image):
        return {variant["key"]: variant["size_bytes"] for variant in row.variants.values()}
    made = row.renditions.values_list("storage_key", "size_bytes")
    return {row.storage_key: row.size_bytes, **dict(made)}

"""Who may have which handle: the one place where handles are given out."""

from django.core.exceptions import ValidationError
from django.utils.text import slugify

from podcasts.models import Handle, Show, validate_handle

MAX_HANDLE = 64
# Names that pages, feeds or impostors would want: a show called so could be mistaken for us.
_RESERVED_WORDS = """
    about abuse account accounts admin administrator all api app apps art assets auth billing blog
    chapters contact css dashboard docs download downloads embed episode episodes explore feed
    feeds go healthz help home how-we-count img invitations js legal live login logout longwave
    mail media metrics new news oembed official organization organizations password platform
    podcast podcasts post postmaster pricing privacy root rss search security settings show shows
    signin signout signup sitemap static status studio support switch system terms test transcripts
    trash upload uploads user users webhooks well-known widget www
"""
RESERVED = frozenset(_RESERVED_WORDS.split())


def propose_handle(title: str) -> str:
    """A well-formed handle made from a title; empty when none of its letters fit."""
    return slugify(title).replace("_", "-")[:MAX_HANDLE].strip("-")


def check_handle(handle: str, *, show: Show | None = None) -> None:
    """Raise ValidationError for a handle that this show (a new one: None) can't have."""
    validate_handle(handle)
    if handle in RESERVED:
        raise ValidationError(
            "This handle is reserved. Choose another one.", code="handle_reserved"
        )
    holder = Handle.objects.filter(handle=handle).values_list("show_id", flat=True)
    if holder and (show is None or holder[0] != show.pk):
        raise _taken()


def register_handle(handle: str, *, show: Show) -> None:
    """Give the handle to the show for ever; ValidationError by field when another was faster."""
    row, _ = Handle.objects.get_or_create(handle=handle, defaults={"show": show})
    if row.show_id != show.pk:
        raise ValidationError({"handle": _taken()})


def _taken() -> ValidationError:
    return ValidationError(
        "Another show has or had this handle. Choose another one.", code="handle_taken"
    )

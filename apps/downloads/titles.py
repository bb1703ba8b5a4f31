"""What counted things are called, as long as that is known."""

from django.db.models import OuterRef, QuerySet, Subquery

from apps.downloads.models import Download
from podcasts.models import Episode


def with_titles(downloads: QuerySet[Download]) -> QuerySet[Download]:
    """With ``episode_title``; None where the episode was deleted for good.

    A join would leave those out, and a read of the episode would fail.
    """
    titles = Episode.objects.filter(pk=OuterRef("episode_id")).values("title")
    return downloads.annotate(episode_title=Subquery(titles[:1]))

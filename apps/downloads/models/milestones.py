"""How far downloads had come when it was last told."""

from django.db import models

from apps.accounts.models import Organization
from apps.core.clock import now
from apps.downloads.models.references import OutlivedKey


class MilestoneWatch(models.Model):
    """An organisation whose milestones somebody wants to know; gone when nobody does any more."""

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    since = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return f"milestones of {self.organization_id}"


class Milestone(models.Model):
    """The highest milestone that a show or an episode has reached; it never goes down."""

    subject_id = models.UUIDField(primary_key=True)  # of a show or an episode
    organization = OutlivedKey(Organization)
    reached = models.BigIntegerField()
    reached_at = models.DateTimeField(default=now)

    class Meta:
        indexes = [models.Index(fields=["organization"], name="milestone_of_organization")]

    def __str__(self) -> str:
        return f"{self.subject_id} has {self.reached}"

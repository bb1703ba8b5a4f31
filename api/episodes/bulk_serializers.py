"""Changes to many episodes at once, as programs ask for them and are told of them."""

from typing import Any

from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.base.fields import IdField
from api.episodes.serializers import EpisodeInput, refuse_future
from podcasts.models import Episode

MOST_AT_ONCE = 100


class BulkAction(models.TextChoices):
    """What can be done with many episodes."""

    PUBLISH = "publish"
    UNPUBLISH = "unpublish"
    SCHEDULE = "schedule"
    UNSCHEDULE = "unschedule"
    DELETE = "delete"
    RESTORE = "restore"
    UPDATE = "update"


# What an action can't do without.
_NEEDS = {BulkAction.SCHEDULE: "publish_at", BulkAction.UPDATE: "changes"}


class ChangesInput(EpisodeInput):
    """What is to change, and nothing else."""

    class Meta(EpisodeInput.Meta):
        model = Episode
        extra_kwargs: dict[str, dict[str, Any]] = EpisodeInput.Meta.extra_kwargs | {
            "title": {"required": False}
        }


class BulkInput(serializers.Serializer[Any]):
    """Which episodes, and what is done with each."""

    episodes = serializers.ListField(child=IdField(), allow_empty=False, max_length=MOST_AT_ONCE)
    action = serializers.ChoiceField(choices=BulkAction.choices)
    published_at = serializers.DateTimeField(
        default=None,
        allow_null=True,
        validators=[refuse_future],
        help_text="For `publish`: a date in the past.",
    )
    publish_at = serializers.DateTimeField(
        default=None, allow_null=True, help_text="For `schedule`, which needs it."
    )
    changes = ChangesInput(required=False, help_text="For `update`, which needs them.")

    def validate_episodes(self, value: list[Any]) -> list[Any]:
        """Each once: what would the second time mean?"""
        if len(set(value)) < len(value):
            raise serializers.ValidationError("An episode is named twice.", "duplicate")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """With what the action needs."""
        needed = _NEEDS.get(BulkAction(attrs["action"]))
        if needed is not None and not attrs.get(needed):
            message = f"The action “{attrs['action']}” needs this."
            raise serializers.ValidationError({needed: message}, "required")
        return attrs


@extend_schema_field({"oneOf": [{"$ref": "#/components/schemas/Problem"}, {"type": "null"}]})
class ProblemField(serializers.Field[Any, Any, Any, Any]):
    """A problem as `api.base.problems` makes it, or null."""


class BulkResultSerializer(serializers.Serializer[Any]):
    """What became of one episode."""

    id = IdField()
    is_done = serializers.BooleanField()
    problem = ProblemField(
        help_text="Why it is as it was: what the single request would answer. Null when it is done."
    )


class BulkAnswerSerializer(serializers.Serializer[Any]):
    """What became of all, in the order in which they were named."""

    done_count = serializers.IntegerField()
    refused_count = serializers.IntegerField()
    results = BulkResultSerializer(many=True)

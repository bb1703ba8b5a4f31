"""Seasons and orders as programs see them."""

from typing import Any

from rest_framework import serializers

from api.base.fields import IdField
from podcasts.models import Episode

MOST_IN_ORDER = 5000


class SeasonSerializer(serializers.Serializer[Any]):
    """The episodes of a show that have this season number; null: those of no season."""

    season_number = serializers.IntegerField(allow_null=True)
    episode_count = serializers.IntegerField()
    next_episode_number = serializers.IntegerField(help_text="One more than the highest.")


class NumbersSerializer(serializers.Serializer[Any]):
    """What suits the next episode; null where the show doesn't count."""

    season_number = serializers.IntegerField(allow_null=True)
    episode_number = serializers.IntegerField(allow_null=True)


class SeasonsSerializer(serializers.Serializer[Any]):
    """All seasons of a show, by number, what has none first."""

    seasons = SeasonSerializer(many=True)
    suggested = NumbersSerializer()


class OrderInput(serializers.ModelSerializer[Episode]):
    """A season's full episodes in their new order."""

    episodes = serializers.ListField(child=IdField(), allow_empty=False, max_length=MOST_IN_ORDER)

    class Meta:
        model = Episode
        fields = ["season_number", "episodes"]
        # Said outright: an order must not end up in another season by omission.
        extra_kwargs = {"season_number": {"required": True, "allow_null": True}}


class NumberedEpisodeSerializer(serializers.Serializer[Any]):
    """An episode with its new number."""

    id = IdField()
    episode_number = serializers.IntegerField()


class OrderedSeasonSerializer(serializers.Serializer[Any]):
    """A season in its new order."""

    season_number = serializers.IntegerField(allow_null=True)
    episodes = NumberedEpisodeSerializer(many=True)

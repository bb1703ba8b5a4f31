"""The words that shows, episodes and people may be given."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.views import ApiView
from apps.accounts.roles import Role
from apps.accounts.scopes import Scope
from apps.media.delivery import mode_for, possible_modes
from podcasts.categories import CATEGORIES, category_key
from podcasts.languages import LANGUAGES
from podcasts.models import EpisodeStatus, EpisodeType, ShowType
from podcasts.time_zones import time_zones

# They change with a release or a setting: the entity tag tells when.
_CACHED = {"Cache-Control": "private, max-age=3600"}


class WordSerializer(serializers.Serializer[Any]):
    """A value to store, and how people know it."""

    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field's own has no use here


class CategorySerializer(WordSerializer):
    """One of Apple's categories."""

    subcategories = WordSerializer(many=True)


class VocabulariesSerializer(serializers.Serializer[Any]):
    """All of them."""

    categories = CategorySerializer(many=True)
    languages = WordSerializer(many=True)
    time_zones = serializers.ListField(child=serializers.CharField())
    delivery_modes = WordSerializer(
        many=True, help_text="Those possible here; the empty one stands for what is usual here."
    )
    show_types = WordSerializer(many=True)
    episode_types = WordSerializer(many=True)
    episode_statuses = WordSerializer(many=True)
    roles = WordSerializer(many=True, help_text="The weakest first; each includes those before.")
    scopes = WordSerializer(many=True)


def _words(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"value": value, "label": label} for value, label in pairs]


def _categories() -> list[dict[str, Any]]:
    return [
        {
            "value": main,
            "label": main,
            "subcategories": _words((category_key(main, sub), sub) for sub in subs),
        }
        for main, subs in CATEGORIES.items()
    ]


def _delivery_modes() -> list[dict[str, str]]:
    usual = ("", f"As usual here: {mode_for('').label.lower()}")
    return _words([usual, *((mode.value, mode.label) for mode in possible_modes())])


class VocabulariesView(ApiView):
    """``/vocabularies/``."""

    @extend_schema(operation_id="get_vocabularies", responses=VocabulariesSerializer)
    def get(self, request: Request) -> Response:
        """Categories, languages, time zones, and all that is chosen from a list."""
        vocabularies = {
            "categories": _categories(),
            "languages": _words(LANGUAGES.items()),
            "time_zones": time_zones(),
            "delivery_modes": _delivery_modes(),
            "show_types": _words(ShowType.choices),
            "episode_types": _words(EpisodeType.choices),
            "episode_statuses": _words(EpisodeStatus.choices),
            "roles": _words(Role.choices),
            "scopes": _words(Scope.choices),
        }
        return Response(vocabularies, headers=_CACHED)

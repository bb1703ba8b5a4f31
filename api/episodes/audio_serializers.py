"""An episode's audio as programs see it; the values come from ``podcasts.audio_state``."""

from typing import Any

from rest_framework import serializers

from api.base.fields import IdField
from apps.media.models import AssetStatus

AUDIO_STATUSES = ["empty", *AssetStatus.values]


class NewAudioSerializer(serializers.Serializer[Any]):
    """Which uploaded file is to be the audio."""

    asset = IdField()


class AudioErrorSerializer(serializers.Serializer[Any]):
    """Why a file can't be used."""

    code = serializers.CharField()
    message = serializers.CharField()
    can_retry = serializers.BooleanField()


class IncomingAudioSerializer(serializers.Serializer[Any]):
    """A file on its way to being served."""

    asset = IdField()
    filename = serializers.CharField()
    size_bytes = serializers.IntegerField()
    status = serializers.CharField()
    stage = serializers.CharField()
    progress = serializers.IntegerField()
    error = AudioErrorSerializer(allow_null=True)


class CurrentAudioSerializer(serializers.Serializer[Any]):
    """The file that is served."""

    asset = IdField()
    filename = serializers.CharField()
    title = serializers.CharField()
    has_artwork = serializers.BooleanField()
    chapter_count = serializers.IntegerField()
    notices = serializers.ListField(child=serializers.CharField())
    content_type = serializers.CharField()
    extension = serializers.CharField()
    codec = serializers.CharField()
    size_bytes = serializers.IntegerField()
    header_bytes = serializers.IntegerField()
    duration_ms = serializers.IntegerField()
    bitrate_bps = serializers.IntegerField()
    sha256 = serializers.CharField()
    preview_url = serializers.CharField()


class AudioStateSerializer(serializers.Serializer[Any]):
    """The same that the socket ``/live/episodes/<id>/`` sends."""

    type = serializers.CharField()
    episode = IdField()
    status = serializers.ChoiceField(choices=AUDIO_STATUSES)
    incoming = IncomingAudioSerializer(allow_null=True)
    audio = CurrentAudioSerializer(allow_null=True)

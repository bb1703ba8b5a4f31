"""Who sends public files to listeners: this server, the bucket or CloudFront (docs/adr/0011)."""

from apps.media.delivery.decision import (
    PURPOSE,
    Answer,
    ElsewhereFile,
    cache_control_to_keep,
    cdn_name,
    decide,
)
from apps.media.delivery.leading import lead_elsewhere
from apps.media.delivery.modes import DeliveryMode, mode_for, possible_modes
from apps.media.delivery.origin import is_passed_on, viewer_address, viewer_country

__all__ = [
    "PURPOSE",
    "Answer",
    "DeliveryMode",
    "ElsewhereFile",
    "cache_control_to_keep",
    "cdn_name",
    "decide",
    "is_passed_on",
    "lead_elsewhere",
    "mode_for",
    "possible_modes",
    "viewer_address",
    "viewer_country",
]

"""The data plane's addresses: feeds, media, pictures and upload parts."""

from django.urls import path

from apps.downloads.media_views import media
from apps.media.art_views import artwork
from apps.media.part_views import upload_part
from podcasts.feeds.views import chapters, feed

urlpatterns = [
    path("media/<uuid:episode_id>/<str:filename>", media, name="media"),
    path("feeds/<str:handle>.xml", feed, name="feed"),
    path("chapters/<uuid:episode_id>.json", chapters, name="chapters"),
    path("art/<uuid:image_id>/<str:filename>", artwork, name="artwork"),
    path("uploads/<uuid:upload_id>/parts/<int:number>", upload_part, name="upload-part"),
]

"""Rows for tests, made the way the product makes them."""

import hashlib
from datetime import timedelta
from typing import Any

import factory
from factory.django import DjangoModelFactory

from apps.accounts.models import Membership, Organization, User
from apps.accounts.roles import Role
from apps.core.clock import now
from apps.core.ids import new_id
from apps.media.models import Asset, AssetStatus, Image, Rendition
from apps.webhooks.event_types import EventType
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from apps.webhooks.sealing import new_secret, seal
from podcasts.models import Episode, EpisodeStatus, Handle, Show


class UserFactory(DjangoModelFactory[User]):
    """A person whose password is ``correct horse``."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    name = factory.Sequence(lambda n: f"Person {n}")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        return model_class.objects.create_user(**{"password": "correct horse"} | kwargs)


class OrganizationFactory(DjangoModelFactory[Organization]):
    """A tenant without members."""

    class Meta:
        model = Organization

    name = factory.Sequence(lambda n: f"Network {n}")


class MembershipFactory(DjangoModelFactory[Membership]):
    """An owner, unless another role is asked for."""

    class Meta:
        model = Membership

    organization = factory.SubFactory(OrganizationFactory)
    user = factory.SubFactory(UserFactory)
    role = Role.OWNER


class ImageFactory(DjangoModelFactory[Image]):
    """A picture whose files are not stored."""

    class Meta:
        model = Image

    organization = factory.SubFactory(OrganizationFactory)
    sha256 = factory.Sequence(lambda n: hashlib.sha256(b"image %d" % n).hexdigest())
    width = 3000
    variants = factory.LazyAttribute(
        lambda image: {
            size: {
                "key": f"images/{image.sha256[:2]}/{image.sha256}-{size}.jpg",
                "sha256": image.sha256,
                "size_bytes": 1000,
                "content_type": "image/jpeg",
                "width": width,
            }
            for size, width in [("feed", 3000), ("1400", 1400), ("480", 480), ("192", 192)]
        }
    )


class AssetFactory(DjangoModelFactory[Asset]):
    """A finished original with one MP3 rendition of 29,000,000 bytes and 1,800 s."""

    class Meta:
        model = Asset
        skip_postgeneration_save = True

    organization = factory.SubFactory(OrganizationFactory)
    filename = "episode.mp3"
    size_bytes = 29_000_000
    sha256 = factory.Sequence(lambda n: hashlib.sha256(b"asset %d" % n).hexdigest())
    storage_key = factory.LazyAttribute(lambda a: f"assets/{a.sha256[:2]}/{a.sha256}")
    status = AssetStatus.READY
    progress = 100
    rendition = factory.RelatedFactory(
        "tests.factories.RenditionFactory", factory_related_name="asset"
    )


class RenditionFactory(DjangoModelFactory[Rendition]):
    """A playable file, not stored: episode A of "how a download is counted"."""

    class Meta:
        model = Rendition

    asset = factory.SubFactory(AssetFactory, rendition=None)
    sha256 = factory.Sequence(lambda n: hashlib.sha256(b"rendition %d" % n).hexdigest())
    storage_key = factory.LazyAttribute(lambda r: f"renditions/{r.sha256[:2]}/{r.sha256}.mp3")
    content_type = "audio/mpeg"
    extension = "mp3"
    codec = "mp3"
    size_bytes = 29_000_000
    header_bytes = 200_000
    duration_ms = 1_800_000
    bitrate_bps = 128_000


class ShowFactory(DjangoModelFactory[Show]):
    """A show with its handle registered."""

    class Meta:
        model = Show
        skip_postgeneration_save = True

    organization = factory.SubFactory(OrganizationFactory)
    guid = factory.Faker("uuid4", cast_to=None)
    handle = factory.Sequence(lambda n: f"show-{n}")
    title = factory.Sequence(lambda n: f"Show {n}")
    description = "About things."
    category = "Technology"
    author = "Somebody"
    owner_name = "Somebody"
    owner_email = "somebody@example.com"
    artwork = factory.SubFactory(ImageFactory, organization=factory.SelfAttribute("..organization"))

    @factory.post_generation
    def registered_handle(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        """Every show's handle stands in the table of handles."""
        if create:
            Handle.objects.create(handle=self.handle, show=self)


class EpisodeFactory(DjangoModelFactory[Episode]):
    """A published episode with audio."""

    class Meta:
        model = Episode

    show = factory.SubFactory(ShowFactory)
    organization = factory.SelfAttribute("show.organization")
    title = factory.Sequence(lambda n: f"Episode {n}")
    slug = factory.Sequence(lambda n: f"episode-{n}")
    status = EpisodeStatus.PUBLISHED
    published_at = factory.LazyFunction(lambda: now() - timedelta(hours=1))
    audio = factory.SubFactory(AssetFactory, organization=factory.SelfAttribute("..organization"))


class WebhookEndpointFactory(DjangoModelFactory[WebhookEndpoint]):
    """An endpoint that wants everything and has been sent nothing."""

    class Meta:
        model = WebhookEndpoint

    organization = factory.SubFactory(OrganizationFactory)
    url = "https://93.184.216.34/hooks"
    events = factory.LazyFunction(lambda: list(EventType.values))

    @factory.lazy_attribute
    def secret_sealed(self) -> bytes:
        """Bound to the row, as a stored one is."""
        return seal(new_secret(), self.id)

    id = factory.LazyFunction(new_id)


class WebhookEventFactory(DjangoModelFactory[WebhookEvent]):
    """Something that happened."""

    class Meta:
        model = WebhookEvent

    organization = factory.SubFactory(OrganizationFactory)
    type = EventType.EPISODE_PUBLISHED
    data = factory.LazyFunction(lambda: {"title": "The first night"})


class WebhookDeliveryFactory(DjangoModelFactory[WebhookDelivery]):
    """One that waits to be sent."""

    class Meta:
        model = WebhookDelivery

    endpoint = factory.SubFactory(WebhookEndpointFactory)
    event = factory.SubFactory(
        WebhookEventFactory, organization=factory.SelfAttribute("..endpoint.organization")
    )

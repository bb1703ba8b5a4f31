"""Addresses of webhooks."""

from django.urls import path

from api.webhooks import views as webhooks

webhook_urlpatterns = [
    path(
        "organizations/<uuid:organization_id>/webhooks/",
        webhooks.WebhooksView.as_view(),
        name="webhooks",
    ),
    path("webhooks/<uuid:webhook_id>/", webhooks.WebhookView.as_view(), name="webhook"),
    path(
        "webhooks/<uuid:webhook_id>/secret/",
        webhooks.WebhookSecretView.as_view(),
        name="webhook-secret",
    ),
    path(
        "webhooks/<uuid:webhook_id>/test/", webhooks.WebhookTestView.as_view(), name="webhook-test"
    ),
    path(
        "webhooks/<uuid:webhook_id>/replay/",
        webhooks.WebhookReplayView.as_view(),
        name="webhook-replay",
    ),
    path(
        "webhooks/<uuid:webhook_id>/deliveries/",
        webhooks.DeliveriesView.as_view(),
        name="webhook-deliveries",
    ),
    path(
        "webhook-deliveries/<uuid:delivery_id>/",
        webhooks.DeliveryView.as_view(),
        name="webhook-delivery",
    ),
    path(
        "webhook-deliveries/<uuid:delivery_id>/replay/",
        webhooks.DeliveryReplayView.as_view(),
        name="webhook-delivery-replay",
    ),
]

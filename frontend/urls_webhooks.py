"""Addresses of the pages about webhooks."""

from django.urls import path

from frontend.views import webhooks

app_name = "webhooks"
urlpatterns = [
    path("", webhooks.webhooks, name="webhooks"),
    path("new/", webhooks.webhook_new, name="new"),
    path("<uuid:webhook_id>/", webhooks.webhook, name="webhook"),
    path("<uuid:webhook_id>/edit/", webhooks.webhook_edit, name="edit"),
    path("<uuid:webhook_id>/secret/", webhooks.webhook_secret, name="secret"),
    path("<uuid:webhook_id>/test/", webhooks.webhook_test, name="test"),
    path("<uuid:webhook_id>/switch/", webhooks.webhook_switch, name="switch"),
    path("<uuid:webhook_id>/replay/", webhooks.webhook_replay, name="replay"),
    path("<uuid:webhook_id>/delete/", webhooks.webhook_delete, name="delete"),
    path("deliveries/<uuid:delivery_id>/", webhooks.delivery, name="delivery"),
    path("deliveries/<uuid:delivery_id>/replay/", webhooks.delivery_replay, name="delivery_replay"),
]

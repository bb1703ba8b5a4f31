"""Webhooks as programs set them up, and the log of what was sent."""

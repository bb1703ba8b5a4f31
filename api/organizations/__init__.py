"""Organisations and their people: members, invitations, and who asks."""

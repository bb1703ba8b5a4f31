"""Jobs about people and their tokens; each makes one service call."""

from celery import shared_task

from apps.accounts import tokens


@shared_task
def forget_old_tokens() -> None:
    """Delete tokens that expired or were revoked long ago."""
    tokens.forget_old_tokens()

"""Jobs about audio files; each makes one service call."""

from uuid import UUID

from celery import Task, shared_task

from podcasts import audio

# Longer than any accepted file takes; a worker that hangs is killed and the file given to another.
TIME_LIMIT_SECONDS = 100 * 60
RETRY_AFTER_SECONDS = 10


@shared_task(bind=True, time_limit=TIME_LIMIT_SECONDS, max_retries=None)
def process_audio(self: "Task[[str], None]", asset_id: str) -> None:
    """Prepare an uploaded file; once more later when something of ours failed."""
    if not audio.process_incoming(UUID(asset_id)):
        raise self.retry(countdown=RETRY_AFTER_SECONDS)


@shared_task
def recover_stalled_audio() -> None:
    """Give the files of workers that died to others."""
    audio.recover_stalled()

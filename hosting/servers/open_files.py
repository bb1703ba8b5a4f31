"""How many connections and files a web process may have open at once."""

import logging
import resource

logger = logging.getLogger(__name__)

# Five thousand listeners, the files they hear, and room for everything else.
NEEDED = 8192


def allow_many() -> None:
    """Take all that the system allows; the usual soft limit of 1,024 is there for select(2)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
        except (ValueError, OSError) as error:  # macOS says "unlimited", and means less
            logger.debug("The limit of open files stays: %s", error)
    if soft != resource.RLIM_INFINITY and soft < NEEDED:
        logger.warning(
            "This process may open %d files: it is full with fewer listeners than that. Raise "
            "the hard limit (systemd: LimitNOFILE, Docker: ulimits, shell: ulimit -Hn).",
            soft,
        )

"""Log lines that nobody can forge: what a client sends can't begin a new one."""

import logging
import re

# Control characters but tab; also what some viewers take for a line's end.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


class LineFormatter(logging.Formatter):
    """The message on one line; a traceback follows it as always."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line, with control characters written as escapes."""
        record.message = _CONTROL.sub(lambda found: ascii(found[0])[1:-1], record.message)
        return super().formatMessage(record)

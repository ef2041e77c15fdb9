"""What handlers have raised: the library answers InternalError, and tells the log alone."""

from __future__ import annotations

import logging

from ..errors import ConnectionClosed

__all__ = ["Failures"]

_LOGGER = logging.getLogger("ocpp_sync")

# Where what is logged as an error is a handler's fault, even if it raises nothing: what it returns cannot be sent.
_ABOUT_HANDLERS = ("dispatch", "endpoint")


class Failures(logging.Handler):
    """Keeps what the log says of exceptions, in handlers, hooks and elsewhere, of all clients and servers of the process.

    A handler that ends since its link has gone has not failed.

    Attributes:
        texts: Of each the message, and the traceback.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def install(self) -> None:
        """Begin."""
        _LOGGER.addHandler(self)

    def remove(self) -> None:
        """End."""
        _LOGGER.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Take what is logged."""
        error = record.exc_info[1] if record.exc_info else None
        if (error is not None or record.module in _ABOUT_HANDLERS) and not _is_of_a_lost_link(error):
            self.texts.append(self.format(record))


def _is_of_a_lost_link(error: BaseException | None) -> bool:
    """Whether it comes from a link that has gone: at the end of a test that may happen to any handler that calls."""
    while error is not None and not isinstance(error, ConnectionClosed):
        error = error.__cause__ or error.__context__
    return error is not None

"""The end of a thread that works for a client, and that may have to go on after all."""

from __future__ import annotations

import threading

__all__ = ["Closable"]


class Closable:
    """What has a thread of its own. The subclass starts it, looks at ``_closed``, and says when it is about to end.

    Here and elsewhere ``with`` takes a lock, never the condition on it: a condition is Python, where Ctrl-C may come between taking
    the lock and the block that gives it back.

    A client may be closed and connect again, in a handler of "close" too: so a thread that was told to end may be resumed.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # guards what follows
        self._changed = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None
        self._running = False  # until the thread has seen that it is to end
        self._closed = False

    def close(self) -> None:
        """Tell the thread to end; whoever waits comes back."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()

    def join(self, timeout: float | None) -> bool:
        """Wait until the thread has ended; false if it still runs. Its own is not waited for, nor one that was resumed."""
        with self._lock:
            thread = self._thread
            if thread is None or thread is threading.current_thread():
                return True
            if not self._changed.wait_for(lambda: not (self._running and self._closed), timeout):
                return False
            if not self._closed:
                return True
        thread.join(timeout)
        return not thread.is_alive()

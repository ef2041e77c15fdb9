"""What the main loop has to do: jobs that any thread puts in, and one does."""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from ocpp_sync import CallError

Result = TypeVar("Result")


class Jobs:
    """A queue of functions without arguments."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._is_over = False

    def post(self, job: Callable[[], object]) -> None:
        """Have something done by the main loop; from any thread."""
        self._jobs.put(job)

    def ask(self, function: Callable[[], Result]) -> Result:
        """Have something done by the main loop, and wait for what it returns; from any other thread.

        Raises:
            CallError: The main loop has ended; for the CSMS, as it is mostly its requests that ask.
        """
        answer: Future[Result] = Future()

        def job() -> None:
            try:
                answer.set_result(function())
            except Exception as error:
                answer.set_exception(error)

        self.post(job)
        while not wait([answer], 0.5).done:
            if self._is_over:
                raise CallError("GenericError", "the charge point ends, or starts again")
        return answer.result()

    def do_next(self) -> None:
        """Wait for a job, and do it."""
        self._jobs.get()()

    def end_jobs(self) -> None:
        """No job will be done any more."""
        self._is_over = True

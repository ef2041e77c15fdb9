"""Lines of other threads above a prompt of readline, without readline."""

from __future__ import annotations

import builtins
import os
import pty
import select
import signal
import sys
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, TextIO

import pytest

from ocpp_sync.cli import above_prompt
from ocpp_sync.cli.above_prompt import AbovePrompt

from .support import TIMEOUT, in_thread

HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


class Screen:
    """A terminal that is the standard output."""

    def __init__(self, master: int, stream: TextIO) -> None:
        self.stream = stream
        self._master = master
        self._shown = b""

    def expect(self, text: str) -> None:
        """Wait for what comes next."""
        data = text.encode()
        while len(self._shown) < len(data):
            assert select.select([self._master], [], [], TIMEOUT)[0], f"{self._shown!r} is all that was shown"
            self._shown += os.read(self._master, 1000)
        assert self._shown[: len(data)] == data
        self._shown = self._shown[len(data) :]


@pytest.fixture
def screen() -> Iterator[Screen]:
    master, slave = pty.openpty()
    tty.setraw(slave)
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        yield Screen(master, stream)
    os.close(master)


@contextmanager
def prompting(screen: Screen | None = None) -> Iterator[AbovePrompt]:
    """Here, since pytest has an output of its own from the beginning of each test on."""
    with redirect_stdout(sys.stdout if screen is None else screen.stream), AbovePrompt(interrupt) as above:
        yield above


@pytest.fixture(autouse=True)
def all_is_put_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = [signal.getsignal(number) for number in HANDLED]
    # What readline would say: the prompt is shown, and "typed" is typed.
    monkeypatch.setattr(above_prompt._Readline, "is_active", True)
    monkeypatch.setattr(above_prompt._Readline, "redraw", lambda self: False)
    monkeypatch.setattr(above_prompt._Readline, "line", "typed")
    yield
    assert [signal.getsignal(number) for number in HANDLED] == before
    assert signal.set_wakeup_fd(-1) == -1


def interrupt(number: int) -> None:
    raise KeyboardInterrupt(number)


def reading(monkeypatch: pytest.MonkeyPatch, wait: Callable[[], Any]) -> None:
    """What goes on in the main thread while it waits for a line."""

    def read(prompt: str) -> str:
        wait()
        return "line"

    monkeypatch.setattr(builtins, "input", read)


def other_thread(*texts: str, stream: str = "stdout") -> None:
    in_thread(lambda: [getattr(sys, stream).write(text) for text in texts]).result()


def test_while_there_is_no_prompt_lines_are_printed_as_they_are(screen: Screen) -> None:
    with prompting(screen):
        other_thread("one\n", "tw")
        screen.expect("one\n")
        other_thread("three\n")
        screen.expect("three\n")
        sys.stdout.write("four\n")
        sys.stdout.flush()
        screen.expect("four\n")
        assert sys.stdout.encoding == "utf-8"
        in_thread(sys.stdout.flush).result()


def test_what_others_have_printed_comes_before_what_is_printed_now(screen: Screen) -> None:
    with prompting(screen):
        for number in range(20):
            other_thread(f"{number}\n")
            sys.stdout.write(f"after {number}\n")
            sys.stdout.flush()
            screen.expect(f"{number}\nafter {number}\n")


def test_the_line_is_drawn_anew(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = threading.Event()

    def watch() -> None:
        other_thread("frame\n")
        screen.expect("\r\x1b[Kframe\n>>> typed")
        drawn.set()

    watching: list[Any] = []

    def wait() -> None:
        watching.append(in_thread(watch))
        assert drawn.wait(TIMEOUT)

    reading(monkeypatch, wait)
    with prompting(screen) as above:
        assert above.read(">>> ") == "line"
        watching[0].result()


def test_what_is_no_terminal_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    before: TextIO = sys.stdout
    with prompting():
        assert sys.stdout is before


def test_the_end_of_input_and_errors_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    with prompting() as above:
        for error in (EOFError, RuntimeError):

            def fail(error: type[Exception] = error) -> None:
                raise error

            reading(monkeypatch, fail)
            with pytest.raises(error):
                above.read(">>> ")


def test_an_interrupt_that_comes_out_as_something_else(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise SystemError("returned a result with an exception set") from None

    reading(monkeypatch, wait)
    with prompting(screen) as above, pytest.raises(KeyboardInterrupt) as raised:
        above.read(">>> ")
    assert raised.value.args == (signal.SIGINT,)


def test_an_interrupt_that_is_lost_comes_again(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            pass  # as readline drops it, while Tab completes
        threading.Event().wait(TIMEOUT)
        pytest.fail("nothing came")

    reading(monkeypatch, wait)
    with prompting(screen) as above, pytest.raises(KeyboardInterrupt) as raised:
        above.read(">>> ")
    assert raised.value.args == (signal.SIGINT,)


def test_an_interrupt_of_a_line_is_none_of_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop() -> None:
        signal.raise_signal(signal.SIGINT)

    with prompting() as above:
        reading(monkeypatch, stop)
        with pytest.raises(KeyboardInterrupt):
            above.read(">>> ")
        reading(monkeypatch, lambda: signal.raise_signal(signal.SIGUSR1))
        assert above.read(">>> ") == "line"


def test_more_news_than_the_thread_can_read(screen: Screen) -> None:
    with prompting(screen) as above:
        for _ in range(70_000):
            above._tell_thread(above_prompt._SIGNAL)
        other_thread("line\n")
        screen.expect("line\n")


def test_readline_without_its_symbols(monkeypatch: pytest.MonkeyPatch) -> None:
    import ctypes

    monkeypatch.undo()

    def fail(name: Any) -> Any:
        raise OSError("no such library")

    monkeypatch.setattr(ctypes, "CDLL", fail)
    readline = above_prompt._Readline()
    assert (readline.is_active, readline.redraw(), readline.line) == (True, False, "")


def test_readline_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert above_prompt._Readline().is_active is False

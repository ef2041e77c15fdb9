"""SIGINT and SIGTERM in a command, and at a prompt."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from ocpp_sync.cli import stopping
from ocpp_sync.cli.stopping import interruptible, stoppable

from .support import TIMEOUT, in_thread

HANDLED = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def handlers_are_put_back() -> Iterator[None]:
    before = [signal.getsignal(number) for number in HANDLED]
    yield
    assert [signal.getsignal(number) for number in HANDLED] == before


def send(number: int) -> None:
    os.kill(os.getpid(), number)
    threading.Event().wait(TIMEOUT)  # the handler comes before that is over


@pytest.mark.parametrize("number", HANDLED)
def test_both_signals_interrupt(number: int) -> None:
    with stoppable() as came:
        with pytest.raises(KeyboardInterrupt):
            send(number)
        assert came == [number]


def test_without_a_signal_nothing_has_come() -> None:
    with stoppable() as came:
        pass
    assert came == []


def test_one_more_at_once_is_the_same_wish() -> None:
    with stoppable() as came:
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)
        for number in HANDLED:
            signal.raise_signal(number)
    assert came == [signal.SIGINT]


def test_in_another_thread_nothing_is_changed() -> None:
    before = signal.getsignal(signal.SIGTERM)

    def run() -> bool:
        with stoppable() as came, interruptible(lambda: None):
            return signal.getsignal(signal.SIGTERM) == before and came == []

    assert in_thread(run).result() is True


def test_a_handler_that_python_does_not_know_is_the_default_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        patch.setattr(signal, "getsignal", lambda number: None)  # as for one that was set by a library in C
        with stoppable():
            pass
    assert signal.signal(signal.SIGTERM, before) is signal.SIG_DFL
    signal.signal(signal.SIGINT, signal.default_int_handler)


SCRIPT = """\
import os, signal, sys, time
from ocpp_sync.cli import stopping
from ocpp_sync.cli.stopping import interruptible, stoppable
stopping._ONE_PRESS = 0.0
with {context}:
    for _ in range(2):
        try:
            os.kill(os.getpid(), signal.{name})
            time.sleep(60)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_one_more_later_ends_the_process(name: str) -> None:
    done = run(SCRIPT.format(context="stoppable()", name=name))
    assert (done.returncode, done.stdout) == (-signal.Signals[name], "interrupted\n")


def run(script: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, **options)  # type: ignore[call-overload, no-any-return]


def test_a_signal_that_was_ignored_counts() -> None:
    # As a shell starts what a script runs in the background.
    done = run(f"import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n{SCRIPT.format(context='stoppable()', name='SIGINT')}")
    assert (done.returncode, done.stdout) == (-signal.SIGINT, "interrupted\n")


# --- At a prompt


def test_at_a_prompt_ctrl_c_interrupts_however_often_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "_ONE_PRESS", 0.0)
    with stoppable() as came, interruptible(lambda: None):
        for _ in range(3):
            with pytest.raises(KeyboardInterrupt):
                send(signal.SIGINT)
    assert came == []


def test_at_a_prompt_sigterm_is_passed_on_at_its_end() -> None:
    ended: list[str] = []
    with stoppable() as came:
        with contextlib.suppress(KeyboardInterrupt):
            with interruptible(lambda: ended.append("prompt")):
                signal.raise_signal(signal.SIGTERM)
                signal.raise_signal(signal.SIGTERM)  # the same wish
                assert (ended, came) == (["prompt"], [])
            ended.append("not reached")
        assert ended == ["prompt"]
        assert came == [signal.SIGTERM]


def test_what_ends_the_prompt_may_raise() -> None:
    def terminate() -> None:
        raise ZeroDivisionError

    with stoppable() as came:
        with pytest.raises(KeyboardInterrupt) as raised, interruptible(terminate):
            send(signal.SIGTERM)
        assert isinstance(raised.value.__context__, ZeroDivisionError)
        assert came == [signal.SIGTERM]


def test_at_a_prompt_one_more_sigterm_later_ends_the_process() -> None:
    done = run(
        SCRIPT.format(context="interruptible(lambda: print('ending', flush=True) or exec('raise KeyboardInterrupt'))", name="SIGTERM")
    )
    assert (done.returncode, done.stdout) == (-signal.SIGTERM, "ending\ninterrupted\n")

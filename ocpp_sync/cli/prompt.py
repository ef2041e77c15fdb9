"""A Python prompt: IPython where it is installed, else the standard library's; and what is read where there is no terminal."""

from __future__ import annotations

import ast
import code
import contextlib
import os
import re
import signal
import sys
import traceback
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import ocpp_sync
from ocpp_sync import OcppError

from .above_prompt import AbovePrompt
from .stopping import interruptible

__all__ = ["CurrentOutput", "interact"]

_PACKAGE = str(Path(ocpp_sync.__file__).parent)
_FIRST = 1000  # before IPython's own matchers, which are not asked then
_HISTORY_LENGTH = 5000  # lines
_STRING = re.compile(r"""(?<![\w.])(\w+)\(\s*["'](\w*)$""")


def interact(names: dict[str, Any], banner: str, *, ipython: bool = True) -> int:
    """Be a Python prompt until Ctrl-D, ``exit()`` or SIGTERM; where the standard input is no terminal, run what is in it.

    Ctrl-C ends what is running, or the line that is typed, and no more; nor does an exception. What other threads print to ``sys.stdout``
    or ``sys.stderr`` goes above the line that is being typed; a printer that keeps its stream takes a :class:`CurrentOutput`.

    A script, in contrast, ends with the first exception. The values of its expressions are printed, as at the prompt.

    Args:
        names: The names that are there; assignments go into it. In a string that is the first argument of a function which has an
            attribute ``completions``, a function that returns names, Tab completes these.
        banner: What is shown first; a script does without.
        ipython: Whether to use IPython if it is installed.

    Returns:
        The exit status: 1 if a script has failed, what it has given to ``exit()``, else 0.
    """
    if not sys.stdin.isatty():
        return _run_script(names, sys.stdin)
    if ipython and sys.stdout.isatty() and find_spec("IPython") is not None:
        _use_ipython(names, banner)
    else:
        _use_readline(names, banner)
    return 0


class CurrentOutput:
    """What ``sys.stdout``, or ``sys.stderr``, is at the moment of each write: a prompt exchanges it.

    Args:
        name: Which of the two.
    """

    def __init__(self, name: str = "stdout") -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(sys, self._name), name)


# --- Without a terminal


def _run_script(names: dict[str, Any], file: TextIO) -> int:
    try:
        source = file.read()
        for statement in ast.parse(source, "<stdin>").body:
            exec(compile(ast.Interactive([statement]), "<stdin>", "single"), names)  # noqa: S102
    except SystemExit as stopped:
        return _status(stopped.code)
    except Exception as error:
        here = error.__traceback__
        traceback.print_exception(type(error), error, _own_part(error, None if here is None else here.tb_next))
        return 1
    return 0


def _own_part(error: BaseException | None, trace: TracebackType | None) -> TracebackType | None:
    """The traceback without the inside of this package, where that is not what went wrong."""
    if trace is None or not isinstance(error, (OcppError, KeyboardInterrupt)):
        return trace
    if trace.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        return None
    return TracebackType(_own_part(error, trace.tb_next), trace.tb_frame, trace.tb_lasti, trace.tb_lineno)


def _status(exit_code: Any) -> int:
    if exit_code is None or isinstance(exit_code, int):
        return exit_code or 0
    print(exit_code, file=sys.stderr)
    return 1


# --- IPython


def _use_ipython(names: dict[str, Any], banner: str) -> None:
    import IPython
    from IPython.terminal.interactiveshell import TerminalInteractiveShell
    from traitlets.config import Config

    config = Config()
    config.InteractiveShellApp.extra_extensions = ["ocpp_sync.ipython", __name__]
    config.TerminalInteractiveShell.banner1 = f"{banner}\n"
    config.TerminalInteractiveShell.banner2 = ""
    config.TerminalInteractiveShell.confirm_exit = False
    config.TerminalInteractiveShell.term_title = False
    if hasattr(TerminalInteractiveShell, "enable_tip"):  # IPython 9
        config.TerminalInteractiveShell.enable_tip = False

    def terminate() -> None:
        shell: Any = IPython.get_ipython()
        if shell is not None:
            shell.ask_exit()
            if (app := shell.pt_app.app).is_running:
                app.loop.call_soon_threadsafe(lambda: app.exit(exception=EOFError))
                return
        raise _Terminated

    with interruptible(terminate), contextlib.suppress(_Terminated):
        IPython.start_ipython(argv=[], user_ns=names, config=config)


def load_ipython_extension(shell: Any) -> None:
    """Called by IPython: complete action names, and leave the inside of this package out of tracebacks."""
    from IPython.core.completer import SimpleCompletion, context_matcher

    @context_matcher(identifier=__name__, priority=_FIRST)  # type: ignore[untyped-decorator]
    def complete(context: Any) -> dict[str, Any]:
        found = _in_string(context.text_until_cursor, shell.user_ns)
        if found is None:
            return {"completions": []}
        start, names = found
        return {"completions": [SimpleCompletion(name) for name in names], "matched_fragment": start, "suppress": True}

    def show(self: Any, kind: Any, error: BaseException, trace: TracebackType, tb_offset: int | None = None) -> None:
        self.showtraceback((kind, error, _own_part(error, trace)), tb_offset=tb_offset)

    shell.Completer.custom_matchers.append(complete)
    shell.set_custom_exc((OcppError, KeyboardInterrupt), show)


class _Terminated(BaseException):
    """SIGTERM has come while a statement ran; at the next prompt there is the end."""


# --- readline


def _use_readline(names: dict[str, Any], banner: str) -> None:
    console = _Console(names)
    with interruptible(console.terminate), contextlib.suppress(_Terminated, SystemExit), _readline(console):
        console.interact(banner, exitmsg="")


class _Console(code.InteractiveConsole):
    def __init__(self, names: dict[str, Any]) -> None:
        super().__init__(names)
        self.above: AbovePrompt | None = None
        self._terminated = False

    def raw_input(self, prompt: str = "") -> str:
        if self._terminated:
            raise EOFError
        return input(prompt) if self.above is None else self.above.read(prompt)

    def showtraceback(self) -> None:
        error = sys.exception() if sys.version_info >= (3, 11) else sys.exc_info()[1]
        if error is not None:
            here = error.__traceback__
            self.write("".join(traceback.format_exception(type(error), error, _own_part(error, None if here is None else here.tb_next))))

    def terminate(self) -> None:
        self._terminated = True
        raise _Terminated

    def interrupt(self, number: int) -> None:
        raise KeyboardInterrupt if number == signal.SIGINT else _Terminated


@contextlib.contextmanager
def _readline(console: _Console) -> Iterator[None]:
    """History, completion, and lines above the prompt, if there is readline and a terminal."""
    if find_spec("readline") is None or not sys.stdout.isatty():
        yield
        return
    import readline

    history = _history_file()
    with contextlib.suppress(OSError):
        readline.read_history_file(history)
    readline.set_history_length(_HISTORY_LENGTH)
    readline.set_completer(_Completer(console.locals).complete)
    readline.parse_and_bind("bind ^I rl_complete" if "libedit" in (readline.__doc__ or "") else "tab: complete")
    try:
        with AbovePrompt(console.interrupt) as console.above:
            yield
    finally:
        readline.set_completer(None)
        with contextlib.suppress(OSError):  # a home that cannot be written
            history.parent.mkdir(parents=True, exist_ok=True)
            readline.write_history_file(history)


def _history_file() -> Path:
    home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(home).expanduser() / "ocpp-sync" / "history"


class _Completer:
    def __init__(self, names: Any) -> None:
        import rlcompleter

        self._names = names
        self._python = rlcompleter.Completer(names)
        self._found: list[str] = []

    def complete(self, text: str, state: int) -> str | None:
        import readline

        if state == 0:
            found = _in_string(readline.get_line_buffer()[: readline.get_endidx()], self._names)
            self._found = [] if found is None else found[1]
        if self._found:
            return self._found[state] if state < len(self._found) else None
        return self._python.complete(text, state)


def _in_string(text: str, names: dict[str, Any]) -> tuple[str, list[str]] | None:
    """The string at the end of a text, and what it may become; None if it is none of those that are known."""
    found = _STRING.search(text)
    completions = None if found is None else getattr(names.get(found[1]), "completions", None)
    if found is None or completions is None:
        return None
    return found[2], [name for name in completions() if name.lower().startswith(found[2].lower())]

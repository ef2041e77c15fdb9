"""Frames as a person reads them: paired, folded, coloured, harmless; and printed without holding up anybody."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import queue
import re
import struct
import termios
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ocpp_sync.cli.frames import FramePrinter
from ocpp_sync.cli.live import LiveOutput, stream_writer_to, writer_to
from ocpp_sync.cli.terminal import fold, printable, width_of
from ocpp_sync.cli.watch import UNREADABLE, FrameWatch, LastFrames

from .support import TIMEOUT, in_thread


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def shown(out: io.StringIO, *frames: tuple[str, str]) -> list[str]:
    printer = FramePrinter(out)
    for direction, text in frames:
        printer.show(direction, text)
    return out.getvalue().splitlines()


# --- Lines


def test_an_answer_is_shown_with_its_action_and_time() -> None:
    lines = shown(
        io.StringIO(),
        ("out", '[2,"1","Reset",{"type":"Soft"}]'),
        ("in", '[2,"1","Heartbeat",{}]'),
        ("in", '[4,"1","NotSupported","no",{}]'),
        ("out", '[3,"1",{"currentTime":"x"}]'),
        ("in", '[3,"9",{}]'),
        ("in", '[6,"2","NotifyPeriodicEventStream",{}]'),
        ("out", '[5,"1","FormatViolation","no",{}]'),
    )
    assert re.fullmatch(r'──▶ CALL +Reset +\{"type": "Soft"\}', lines[0])
    assert re.fullmatch(r'◀── CALLERROR +Reset  \d+\.\d ms +"NotSupported" "no" \{\}', lines[2])
    assert re.fullmatch(r'──▶ CALLRESULT Heartbeat  \d+\.\d ms +\{"currentTime": "x"\}', lines[3])
    assert re.fullmatch(r"◀── CALLRESULT \? +\{\}", lines[4])
    assert re.fullmatch(r"◀── SEND +NotifyPeriodicEventStream +\{\}", lines[5])
    assert re.fullmatch(r'──▶ CALLRESULTERROR \? +"FormatViolation" "no" \{\}', lines[6])


@pytest.mark.parametrize(
    "text", ["nonsense", "[]", "[7,1]", "3", '{"a":1}', '["2",1]', '[2,"1",7]', '[2,"1","Reset",{}', "*** (7 characters)"]
)
def test_what_is_no_message_is_shown_as_it_is(text: str) -> None:
    assert shown(io.StringIO(), ("in", text)) == [f"◀── no OCPP-J message: {text}"]


def test_a_payload_that_cannot_be_read_is_shown_as_nothing() -> None:
    (line,) = shown(io.StringIO(), ("in", '[2,"1","Reset",{{}]'))
    assert line.split() == ["◀──", "CALL", "Reset"]


def test_frames_of_several_charge_points_have_their_names() -> None:
    out = io.StringIO()
    printer = FramePrinter(out)
    for identity in ("CP1", "CP2"):
        printer.show("in", '[2,"1","Heartbeat",{}]', identity=identity)
    printer.show("out", '[3,"1",{}]', identity="CP2")
    lines = out.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == ["CP1", "CP2", "CP2"]
    assert " ms " in lines[2]
    assert printer.watch.counts == {("in", "CALL"): 2, ("out", "CALLRESULT"): 1}


def test_what_a_peer_writes_cannot_command_the_terminal() -> None:
    evil = '\x1b]0;title\x07 \x9b2J \u202e \u2028 \x7f \U000e0001 "'
    text = f'[2,"1","Data\x1bTransfer",{{"data":"{evil[:-1]}"}}]'
    for frame in (text, f"nonsense {evil}\r\n"):
        (line,) = shown(io.StringIO(), ("in", frame))
        assert line.isprintable()
    assert printable(io.StringIO(), evil) == '\\u001b]0;title\\u0007 \\u009b2J \\u202e \\u2028 \\u007f \\udb40\\udc01 "'


def test_what_cannot_be_printed_is_escaped() -> None:
    class Ascii(io.StringIO):
        encoding = "ascii"

    class Unknown(io.StringIO):
        encoding = "no such encoding"

    for out in (Ascii(), Unknown()):
        (line,) = shown(out, ("in", '[2,"1","DataTransfer",{"vendorId":"Müller"}]'))
        assert line.startswith("<-- ")
        assert '"M\\xfcller"' in line


def test_colour_is_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    frame = ("out", '[2,"1","Heartbeat",{}]')
    assert "\x1b[36m" in shown(Terminal(), frame)[0]
    assert "\x1b[31m" in shown(Terminal(), ("in", "nonsense"))[0]
    assert "\x1b" not in shown(io.StringIO(), frame)[0]
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in shown(Terminal(), frame)[0]
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in shown(Terminal(), frame)[0]


# --- Folding


@pytest.mark.parametrize("width", [40, 57, 80])
@pytest.mark.parametrize(
    "text",
    [
        "short",
        " ".join(["word"] * 40),
        "x" * 300,
        "begin " + "y" * 200 + " end",
        "汉字" * 60,
        "mixed 汉字 and e\u0301 " * 20,
        "spaces   between      words " * 10,
    ],
)
def test_no_line_is_wider_than_the_terminal(text: str, width: int) -> None:
    lines = fold(text, width, 4).split("\n")
    assert all(sum(2 if ord(each) > 0x2E00 else each != "\u0301" for each in line) <= width for line in lines)
    assert all(line.startswith("    ") and not line.startswith("     ") for line in lines[1:])
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text), "nothing is lost"


def test_lines_are_broken_at_spaces() -> None:
    assert fold("0123456789 " * 5, 40, 2).split("\n") == ["0123456789 0123456789 0123456789", "  0123456789 0123456789"]
    assert fold("x" * 50, 30, 4) == "x" * 50, "a terminal that is so narrow folds by itself"
    assert fold("x " * 50, None, 4) == "x " * 50


@pytest.fixture
def terminal() -> Iterator[Callable[[int], Any]]:
    """Makes a pseudo-terminal of some columns, and what writes to it."""
    opened: list[Any] = []

    def make(columns: int) -> Any:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        opened.extend([os.fdopen(master, "rb", buffering=0), os.fdopen(slave, "w", encoding="utf-8")])
        return opened[-1]

    yield make
    for file in opened:
        file.close()


def test_the_width_is_that_of_the_terminal(terminal: Callable[[int], Any]) -> None:
    assert width_of(terminal(57)) == 57
    assert width_of(terminal(0)) == 80, "it does not know"
    assert width_of(Terminal()) == 80
    assert width_of(io.StringIO()) is None


# --- Pairing


def test_answers_are_paired_by_charge_point_and_direction() -> None:
    watch = FrameWatch()
    watch.take("in", '[2,"1","Heartbeat",{}]', "CP1")
    watch.take("out", '[2,"1","Reset",{"type":"Soft"}]', "CP1")
    stranger = watch.take("out", '[3,"1",{}]', "CP2")
    assert (stranger.action, stranger.round_trip) == ("", None)
    answer = watch.take("out", '[3,"1",{"a":1}]', "CP1")
    assert (answer.action, answer.payload, answer.identity, answer.kind) == ("Heartbeat", {"a": 1}, "CP1", "CALLRESULT")
    assert answer.round_trip is not None
    error = watch.take("in", '[4,"1","NotSupported","no",{"b":2}]', "CP1")
    assert error.action == "Reset"
    assert error.payload == {"errorCode": "NotSupported", "errorDescription": "no", "errorDetails": {"b": 2}}
    assert watch.errors == {("in", "NotSupported"): 1}
    assert len(watch.round_trips) == 2
    assert "CP1 in CALLERROR Reset" in repr(error)
    assert repr(FrameWatch().take("in", "x")).endswith("in unreadable  None>")


def test_an_id_may_be_written_with_escapes() -> None:
    watch = FrameWatch()
    watch.take("in", '[2,"\\u0031","Heartbeat",{}]')
    assert watch.take("out", '[3,"1",{}]').action == "Heartbeat"
    assert watch.take("in", '[2,"\\x","Heartbeat",{}]').id == "\\x"


def test_calls_that_are_never_answered_do_not_pile_up() -> None:
    watch = FrameWatch()
    for number in range(500):
        watch.take("in", f'[2,"{number}","Heartbeat",{{}}]', "CP1")
    assert len(watch._open["CP1"]) == 100
    assert watch.take("out", '[3,"499",{}]', "CP1").action == "Heartbeat"
    watch.forget("CP1")
    watch.forget("CP2")
    assert watch._open == {}


def test_codes_that_a_peer_makes_up_do_not_pile_up() -> None:
    watch = FrameWatch()
    watch.take("in", '[4,"0","NotSupported","",{}]')
    for number in range(500):
        watch.take("in", f'[4,"{number}","{number}{"x" * 100}","",{{}}]')
    watch.take("in", '[4,"0","NotSupported","",{}]')
    watch.take("out", '[4,"0","NotSupported","",{}]')
    assert len(watch.errors) == 32, "of each direction 30, and the others"
    assert max(len(code) for _, code in watch.errors) == 60
    assert watch.errors["in", "NotSupported"] == 2
    assert watch.errors["out", "NotSupported"] == 1
    assert watch.errors["in", "other"] == 471
    assert sum(watch.errors.values()) == 503


@pytest.mark.parametrize("text", ['[2,"{}","A",{{}}]', '[2,"1","{}",{{}}]', '[4,"1","{}","",{{}}]', '[3,"{}",{{}}]', '[2,"{}'])
@pytest.mark.parametrize("piece", ["c", "\\n"])
def test_an_id_or_action_of_any_length_is_not_searched_whole(text: str, piece: str) -> None:
    tracemalloc.start()
    try:
        watch = FrameWatch()
        frame = watch.take("in", text.format(piece * 1_000_000))
        used = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (frame.kind, frame.id, frame.action) == (UNREADABLE, "", "")
    assert watch._open == {}
    assert used < 10_000_000, "the frame itself has one or two of them"


def test_the_last_frames_are_kept() -> None:
    watch, frames = FrameWatch(), LastFrames()
    for number in range(1500):
        frames.append(watch.take("in", f'[2,"{number}","Heartbeat",{{}}]', "CP1"))
    assert len(frames) == 1000
    assert (frames[0].id, frames[-1].id, [each.id for each in frames[-2:]]) == ("500", "1499", ["1498", "1499"])
    assert next(iter(frames)).id == "500"
    assert "the last 1000 frames" in repr(frames)
    large = watch.take("in", f'[2,"1","X",{{"a":"{"x" * 5_000_000}"}}]')
    frames.append(large)
    frames.append(large)
    assert list(frames) == [large], "they have a bound in characters, too"


def test_a_frame_that_is_none_has_no_payload() -> None:
    frame = FrameWatch().take("in", "nonsense")
    assert (frame.kind, frame.payload) == (UNREADABLE, None)


# --- Printing on a thread


class Stuck:
    """A terminal that takes nothing until it is let go."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.reached, self.go_on = threading.Event(), threading.Event()

    def __call__(self, text: str) -> None:
        self.reached.set()
        assert self.go_on.wait(TIMEOUT)
        self.written.append(text)


def line(text: str) -> Callable[[], str]:
    return lambda: text


def test_lines_come_in_their_order_and_all_of_them() -> None:
    written: list[str] = []
    output = LiveOutput(written.append, str)
    for number in range(1000):
        output.put(line(str(number)))
    assert output.close(TIMEOUT)
    assert "".join(written).split() == [str(number) for number in range(1000)]
    output.put(line("too late"))
    assert output.close(TIMEOUT)


def test_a_slow_terminal_holds_up_nobody_and_is_told_what_it_missed() -> None:
    terminal = Stuck()
    output = LiveOutput(terminal, lambda count: f"{count} left out")
    output.put(line("first"))
    assert terminal.reached.wait(TIMEOUT)
    for number in range(12_345):
        output.put(line(str(number)))
    output.put(line("important"), must=True)
    assert not output.close(0)
    terminal.go_on.set()
    assert output.close(TIMEOUT)
    lines = "".join(terminal.written).splitlines()
    assert lines[:2] == ["first", "0"]
    assert lines[-3:] == ["9999", "2345 left out", "important"]


def test_it_goes_on_after_some_were_left_out_and_all_the_others_printed() -> None:
    written: queue.Queue[str] = queue.Queue()
    go_on = threading.Event()

    def write(text: str) -> None:
        assert go_on.wait(TIMEOUT)
        for each in text.splitlines():
            written.put(each)

    output = LiveOutput(write, lambda count: f"{count} left out")
    for number in range(12_000):
        output.put(line(str(number)))
    go_on.set()
    number = 0
    while number < 9_999:
        number = int(written.get(timeout=TIMEOUT))
    while not written.empty():  # those that the printer had taken before
        number = int(written.get())
    output.put(line("next"))
    shown = [written.get(timeout=TIMEOUT), written.get(timeout=TIMEOUT)]
    assert shown == [f"{12_000 - number - 1} left out", "next"]
    output.put(line("and on"))
    assert written.get(timeout=TIMEOUT) == "and on"
    assert output.close(TIMEOUT)


def test_large_lines_have_a_bound_of_their_own() -> None:
    terminal = Stuck()
    output = LiveOutput(terminal, lambda count: f"{count} left out")
    output.put(line("first"))
    assert terminal.reached.wait(TIMEOUT)
    for number in range(5):
        output.put(line(str(number)), size=3_000_000)
    terminal.go_on.set()
    assert output.close(TIMEOUT)
    assert "".join(terminal.written).split("\n") == ["first", "0", "1", "3 left out", ""]


def test_who_cannot_write_any_more_says_so() -> None:
    def write(text: str) -> None:
        raise BrokenPipeError

    output = LiveOutput(write, str)
    output.put(line("first"))
    assert output.failed.wait(TIMEOUT)
    assert isinstance(output.error, BrokenPipeError)
    output.put(line("second"))
    assert not output.close(TIMEOUT)


def test_a_line_that_cannot_be_made_is_one_line_less() -> None:
    def fail() -> str:
        raise RecursionError

    written: list[str] = []
    output = LiveOutput(written.append, str)
    output.put(fail)
    output.put(line("next"))
    assert output.close(TIMEOUT)
    assert "".join(written) == "… a line that cannot be shown: RecursionError\nnext\n"


def test_nobody_reads_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb", buffering=0) as raw:
        out = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
        FramePrinter(out).show("in", '[2,"1","Heartbeat",{}]')
        out.detach()


def test_a_file_is_written_to_past_its_buffer() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb", buffering=0) as read, os.fdopen(writer, "w", encoding="ascii") as out:
        out.write("before ")
        writer_to(out)("M\u00fcller")
        assert read.read(100) == b"before M\\xfcller"


def test_a_descriptor_that_does_not_block_is_waited_for() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with os.fdopen(reader, "rb", buffering=0) as read, os.fdopen(writer, "w", encoding="utf-8") as out:
        writing = in_thread(writer_to(out), "x" * 1_000_000)
        left = 1_000_000
        while left:
            left -= len(read.read(left))
        writing.result()


def test_a_stream_without_a_descriptor_is_written_to_itself() -> None:
    out = io.StringIO()
    writer_to(out)("a")
    stream_writer_to(out)("b")
    assert out.getvalue() == "ab"

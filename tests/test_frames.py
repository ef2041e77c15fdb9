"""WebSocket frames: which are read and written here, which are the library's, whatever the pieces in which they come."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

import pytest
import websocket
from hypothesis import given, settings
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from ocpp_sync.transport.frames import FrameReader, FrameWriter, Incomplete, OtherFrame

from .support import in_thread
from .test_link import open_ends
from .wire import BINARY, CLOSE, CONTINUATION, PING, PONG, RSV1, TEXT, close_payload, header

FIN = 0x80
LIMIT = 1 << 20
BORDERS = [0, 1, 124, 125, 126, 127, 65534, 65535, 65536, 65537]
KEY = b"\x01\x80\xfe\x37"


each_direction = pytest.mark.parametrize("is_masked", [True, False], ids=["masked", "unmasked"])


class Frame(NamedTuple):
    """A frame as a test wants it."""

    opcode: int
    payload: bytes
    fin: bool = True
    flags: int = 0

    @property
    def first(self) -> int:
        return (FIN if self.fin else 0) | self.flags | self.opcode

    def wire(self, is_masked: bool) -> bytes:
        head = header(len(self.payload), self.opcode, fin=self.fin, flags=self.flags, masked=False)
        if not is_masked:
            return head + self.payload
        masked = bytes(byte ^ KEY[place % 4] for place, byte in enumerate(self.payload))
        return bytes([head[0], head[1] | 0x80]) + head[2:] + KEY + masked


def expected(frames: Iterable[Frame], is_masked: bool) -> list[str | bytes]:
    """What becomes of frames: a text for each that is read here, and the bytes of each that is the library's."""
    result: list[str | bytes] = []
    in_fragments = False
    for frame in frames:
        if frame.first == FIN | TEXT and not in_fragments:
            result.append(frame.payload.decode())
            continue
        result.append(frame.wire(is_masked))
        if frame.opcode < CLOSE:
            in_fragments = not frame.fin
    return result


def read(reader: FrameReader, pieces: Iterable[bytes], size: int = 1 << 16) -> list[str | bytes]:
    """Read pieces as a link does, with a library that reads so many bytes at once."""
    result: list[str | bytes] = []
    for piece in pieces:
        reader.feed(piece)
        while (found := reader.next()) is not None:
            if isinstance(found, str):
                result.append(found)
            elif data := library_read(reader, size):
                result.append(data)
            else:
                break  # the rest of what is too long has not come yet
    return result


def library_read(reader: FrameReader, size: int) -> bytes:
    data = b""
    while True:
        try:
            part = reader.recv(size)
        except Incomplete:
            return data
        assert 0 < len(part) <= size
        data += part


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """The data in the pieces that are left when it is cut at some places."""
    ends = [*sorted({place % (len(data) + 1) for place in places}), len(data)]
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False) if start < end]


def one_by_one(data: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in data]


# --- Whole texts


@each_direction
@pytest.mark.parametrize("length", BORDERS)
def test_texts_of_every_form_of_length(length: int, is_masked: bool) -> None:
    text = "x" * length
    data = Frame(TEXT, text.encode()).wire(is_masked)
    for pieces in ([data], one_by_one(data), [data[:1], data[1:]], [data[:-1], data[-1:]], [data + data[:3], data[3:]]):
        count = sum(map(len, pieces)) // len(data)
        assert read(FrameReader(is_masked=is_masked, max_size=LIMIT), pieces) == [text] * count


@each_direction
def test_a_header_in_any_two_pieces(is_masked: bool) -> None:
    for length in BORDERS:
        data = Frame(TEXT, b"x" * length).wire(is_masked)
        for place in range(1, min(20, len(data))):
            reader = FrameReader(is_masked=is_masked, max_size=LIMIT)
            reader.feed(data[:place])
            assert reader.next() is None
            assert read(reader, [data[place:]]) == ["x" * length]
            assert reader.next() is None


@each_direction
def test_a_length_in_a_longer_form_than_need_be(is_masked: bool) -> None:
    # Whether that is allowed is for RFC 6455, 5.2 ("the minimal number of bytes MUST be used"); it must not upset the reader.
    payload, bit, key = b"abc", 0x80 if is_masked else 0, bytes(4) if is_masked else b""
    for head in (struct.pack("!BBH", FIN | TEXT, bit | 126, 3), struct.pack("!BBQ", FIN | TEXT, bit | 127, 3)):
        data = head + key + payload + Frame(TEXT, b"next").wire(is_masked)
        assert read(FrameReader(is_masked=is_masked, max_size=LIMIT), one_by_one(data))[-1] == "next"


@each_direction
def test_a_text_with_the_wrong_mask_is_the_librarys(is_masked: bool) -> None:
    frames = [Frame(TEXT, text) for text in (b"", b"abc", b"x" * 300)]
    for frame in frames:
        data = frame.wire(not is_masked)
        assert read(FrameReader(is_masked=is_masked, max_size=LIMIT), [data]) == [data]


@each_direction
def test_text_that_is_no_utf8_is_told_and_done_with(is_masked: bool) -> None:
    good, bads = Frame(TEXT, "gut €".encode()), (b"\xff", b"\xe2\x82", b"\xed\xa0\x80", b"x" * 200 + b"\xc0\x80")
    for bad in bads:
        for make in (one_by_one, lambda data: [data]):
            reader = FrameReader(is_masked=is_masked, max_size=LIMIT)
            told, texts = 0, []
            for piece in make(good.wire(is_masked) + Frame(TEXT, bad).wire(is_masked) + good.wire(is_masked)):
                reader.feed(piece)
                while True:
                    try:
                        found = reader.next()
                    except UnicodeDecodeError:
                        told += 1
                        continue
                    if found is None:
                        break
                    texts.append(found)
            assert (told, texts) == (1, ["gut €", "gut €"])


# --- Frames for the library

OTHERS = [
    Frame(PING, b""),
    Frame(PING, b"x" * 125),
    Frame(PONG, b"pong"),
    Frame(BINARY, b"\xff" * 300),
    Frame(CLOSE, b""),
    Frame(CLOSE, close_payload(1000, "so")),
    Frame(TEXT, b"deflated", flags=RSV1),
    Frame(0x3, b"reserved"),
    Frame(0xB, b"reserved"),
    Frame(PING, b"in parts", fin=False),
]


@each_direction
@pytest.mark.parametrize("other", OTHERS, ids=lambda frame: f"{frame.first:02x}-{len(frame.payload)}")
def test_any_other_frame_is_the_librarys_byte_for_byte(other: Frame, is_masked: bool) -> None:
    frames = [Frame(TEXT, b"before"), other, other, Frame(TEXT, b"after")]
    data = b"".join(frame.wire(is_masked) for frame in frames)
    for pieces in ([data], one_by_one(data)):
        for size in (1, 7, 1 << 16):
            assert read(FrameReader(is_masked=is_masked, max_size=LIMIT), pieces, size) == expected(frames, is_masked)


@each_direction
def test_fragments_are_the_librarys_and_so_is_a_text_between_them(is_masked: bool) -> None:
    frames = [
        Frame(TEXT, b"one ", fin=False),
        Frame(PING, b"between"),
        Frame(CONTINUATION, b"message", fin=False),
        Frame(CONTINUATION, b""),
        Frame(TEXT, b"whole"),
        Frame(BINARY, b"\x00", fin=False),
        Frame(PONG, b""),
        Frame(TEXT, b"not now"),  # against RFC 6455, 5.4: the library says so
        Frame(TEXT, b"deflated", fin=False, flags=RSV1),
        Frame(CONTINUATION, b"too"),
        Frame(TEXT, b"again whole"),
    ]
    found = expected(frames, is_masked)
    assert [text for text in found if isinstance(text, str)] == ["whole", "again whole"]
    data = b"".join(frame.wire(is_masked) for frame in frames)
    for pieces in ([data], one_by_one(data)):
        assert read(FrameReader(is_masked=is_masked, max_size=LIMIT), pieces) == found


def test_the_library_finds_nothing_before_it_is_called() -> None:
    reader = FrameReader(is_masked=False, max_size=LIMIT)
    with pytest.raises(Incomplete):
        reader.recv(1)
    reader.feed(Frame(TEXT, b"text").wire(False)[:-1])
    assert reader.next() is None
    with pytest.raises(Incomplete):
        reader.recv(1)


def test_the_library_gets_no_byte_of_the_next_frame() -> None:
    reader = FrameReader(is_masked=False, max_size=LIMIT)
    ping = Frame(PING, b"ping").wire(False)
    reader.feed(ping + ping + Frame(TEXT, b"text").wire(False))
    for _ in range(2):
        assert isinstance(reader.next(), OtherFrame)
        assert reader.recv(1000) == ping
        with pytest.raises(Incomplete):
            reader.recv(1)
    assert reader.next() == "text"


# --- Too long

HUGE = [(header(1001, masked=True), 1001), (header(1 << 40, masked=True), 1 << 40), (header(1 << 63 | 5, masked=True), 1 << 63 | 5)]


@pytest.mark.parametrize(("head", "length"), HUGE)
def test_what_is_too_long_is_the_librarys_as_soon_as_that_is_known(head: bytes, length: int) -> None:
    reader = FrameReader(is_masked=True, max_size=1000)
    size = len(head) - 4  # the mask's key comes after the length
    for byte in one_by_one(head[: size - 1]):
        reader.feed(byte)
        assert reader.next() is None
    for number, byte in enumerate(one_by_one(head[size - 1 :] + b"x" * 50)):
        reader.feed(byte)
        assert isinstance(reader.next(), OtherFrame), number
        assert library_read(reader, 100) == (byte if number else head[:size])


def test_after_what_is_too_long_the_next_frame_is_found() -> None:
    reader = FrameReader(is_masked=False, max_size=1000)
    long, text = Frame(TEXT, b"x" * 1001), Frame(TEXT, b"x" * 1000)
    data = (text.wire(False) + long.wire(False)) * 2 + text.wire(False)
    found = "".join("t" if isinstance(each, str) else "." for each in read(reader, cut(data, range(0, len(data), 100))))
    assert found.strip(".").replace(".", "").count("t") == 3
    assert found.startswith("t.")
    assert found.endswith(".t")


PARTS = {
    "a text": (1000, TEXT, 2000, 10),
    "nothing but a header": (1000, TEXT, 2000, 0),
    "a binary message": (1000, BINARY, 2000, 10),
    "a ping": (50, PING, 100, 10),
}


@pytest.mark.parametrize("side", ["client", "server"])
@pytest.mark.parametrize("kind", PARTS)
def test_a_link_with_a_part_of_what_is_too_long(side: str, kind: str) -> None:
    limit, opcode, length, there = PARTS[kind]
    ends = open_ends(side, limit)
    data = ends.peer.frame(b"x" * length, opcode)
    place = len(data) - length + there

    def step() -> Any:
        assert ends.link.wait()
        return ends.link.step(lambda _: None)

    ends.peer.socket.sendall(data[:place])
    assert in_thread(step).result() is None  # it waits for nothing
    ends.peer.socket.sendall(data[place:])
    assert in_thread(step).result() is None
    if opcode == PING:
        assert ends.peer.receive() == (PONG, b"x" * length)
    else:
        assert ends.peer.receive_close()[0] == 1009
    ends.end()


# --- Any frames, in any pieces

TEXTS = st.text(max_size=200).map(str.encode) | st.sampled_from([b"x" * length for length in (125, 126, 65535, 65536)])
BYTES = st.binary(max_size=200)
FRAMES = st.one_of(
    TEXTS.map(lambda text: Frame(TEXT, text)),
    st.tuples(st.sampled_from([TEXT, BINARY, CONTINUATION]), BYTES, st.booleans(), st.sampled_from([0, RSV1]))
    .map(lambda fields: Frame(*fields))
    .filter(lambda frame: frame.first != FIN | TEXT),
    st.tuples(st.sampled_from([PING, PONG, CLOSE]), st.binary(max_size=125)).map(lambda fields: Frame(*fields)),
)


@given(
    frames=st.lists(FRAMES, max_size=12),
    is_masked=st.booleans(),
    places=st.lists(st.integers(0, 1 << 20), max_size=40),
    size=st.integers(1, 300),
)
@settings(max_examples=100)
def test_any_frames_in_any_pieces(frames: list[Frame], is_masked: bool, places: list[int], size: int) -> None:
    data = b"".join(frame.wire(is_masked) for frame in frames)
    assert read(FrameReader(is_masked=is_masked, max_size=LIMIT), cut(data, places), size) == expected(frames, is_masked)


@given(frames=st.lists(FRAMES.filter(lambda frame: len(frame.payload) < 1000), max_size=6), is_masked=st.booleans())
@settings(max_examples=50)
def test_any_frames_byte_by_byte(frames: list[Frame], is_masked: bool) -> None:
    data = b"".join(frame.wire(is_masked) for frame in frames)
    assert read(FrameReader(is_masked=is_masked, max_size=LIMIT), one_by_one(data)) == expected(frames, is_masked)


@given(data=st.binary(max_size=400), places=st.lists(st.integers(0, 400), max_size=10), is_masked=st.booleans())
@settings(max_examples=100)
def test_nonsense_is_read_the_same_in_any_pieces(data: bytes, places: list[int], is_masked: bool) -> None:
    def outcome(pieces: list[bytes]) -> tuple[list[str], int, bytes]:
        reader, texts, failures, other = FrameReader(is_masked=is_masked, max_size=300), [], 0, b""
        for piece in pieces:
            reader.feed(piece)
            while True:
                try:
                    found = reader.next()
                except UnicodeDecodeError:
                    failures += 1
                    continue
                if found is None:
                    break
                if isinstance(found, str):
                    texts.append(found)
                    continue
                got = library_read(reader, 64)
                if not got:
                    break  # the rest of what is too long has not come yet
                other += got
        return texts, failures, other

    assert outcome(cut(data, places)) == outcome([data])


# --- Frames of others, and ours for others


class Chunks:
    """The socket of the library's frame buffer."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def recv(self, size: int) -> bytes:
        data, self._data = self._data[:size], self._data[size:]
        assert data, "there is no more"
        return data


SAMPLES = st.lists(st.text(max_size=300) | st.sampled_from(["€" * length for length in (41, 42, 43, 21845, 21846)]), max_size=5)


@given(texts=SAMPLES, is_masked=st.booleans())
@settings(max_examples=60)
def test_websocket_client_understands_what_is_written(texts: list[str], is_masked: bool) -> None:
    writer = FrameWriter(is_masked=is_masked)
    buffer = websocket.frame_buffer(Chunks(b"".join(writer.frame(text) for text in texts)).recv, skip_utf8_validation=False)
    for text in texts:
        frame = buffer.recv_frame()
        assert (frame.fin, frame.rsv1, frame.opcode, frame.data.decode()) == (1, 0, TEXT, text)


@given(texts=SAMPLES, is_masked=st.booleans())
@settings(max_examples=60)
def test_wsproto_understands_what_is_written(texts: list[str], is_masked: bool) -> None:
    writer = FrameWriter(is_masked=is_masked)
    peer = Connection(ConnectionType.SERVER if is_masked else ConnectionType.CLIENT)
    peer.receive_data(b"".join(writer.frame(text) for text in texts))
    received, part = [], ""
    for event in peer.events():
        assert isinstance(event, TextMessage)
        part += event.data
        if event.message_finished:
            received.append(part)
            part = ""
    assert received == texts


@given(texts=SAMPLES, is_masked=st.booleans(), places=st.lists(st.integers(0, 1 << 20), max_size=10))
@settings(max_examples=60)
def test_what_websocket_client_and_wsproto_write_is_read(texts: list[str], is_masked: bool, places: list[int]) -> None:
    peer = Connection(ConnectionType.CLIENT if is_masked else ConnectionType.SERVER)
    by_wsproto = b"".join(peer.send(TextMessage(text)) for text in texts)
    frames = [websocket.ABNF(1, 0, 0, 0, TEXT, int(is_masked), text.encode()) for text in texts]
    by_websocket_client = b"".join(frame.format() for frame in frames)
    for data in (by_wsproto, by_websocket_client):
        assert read(FrameReader(is_masked=is_masked, max_size=LIMIT), cut(data, places)) == texts


@each_direction
@pytest.mark.parametrize("length", BORDERS)
def test_what_is_written_is_read(length: int, is_masked: bool) -> None:
    text = "x" * length
    data = FrameWriter(is_masked=is_masked).frame(text)
    assert read(FrameReader(is_masked=is_masked, max_size=LIMIT), [data]) == [text]
    key = 4 if is_masked else 0
    assert len(data) == length + key + (2 if length < 126 else 4 if length < 65536 else 10)


def test_each_masked_frame_has_a_key_of_its_own() -> None:
    writer = FrameWriter(is_masked=True)
    keys = [writer.frame("x")[2:6] for _ in range(300)]
    assert len(set(keys)) >= 295


def test_text_that_is_no_unicode_is_refused_and_the_writer_goes_on() -> None:
    writer = FrameWriter(is_masked=True)
    with pytest.raises(UnicodeEncodeError):
        writer.frame("\ud800")
    assert read(FrameReader(is_masked=True, max_size=LIMIT), [writer.frame("next")]) == ["next"]

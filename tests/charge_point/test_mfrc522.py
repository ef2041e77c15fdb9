"""Cards at an MFRC522, of which the registers are simulated."""

from __future__ import annotations

import logging
import queue
import sys
from collections.abc import Callable
from typing import Any

import pytest
from charge_point.cards import GONE_AFTER, PATIENCE, Mfrc522Reader, make_reader
from charge_point.mfrc522 import TRIES, CardError, Mfrc522, with_crc
from charge_point.settings import Cards, SettingsError, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from ..support import TIMEOUT, in_thread, wait_until
from .bench import Bench, Csms
from .mfrc522_chip import Card, Chip, Noise, SpiDev, SpiModule, crc_a, cut, disturbed, flipped, lost, shortened

PORT = "/dev/spidev0.0"
UIDS = [bytes.fromhex(text) for text in ("04A1B2C3", "04A1B2C3D4E5F6", "04A1B2C3D4E5F6071829")]
NEVER = 1000 * TIMEOUT


@pytest.fixture
def chip() -> Chip:
    return Chip()


@pytest.fixture
def spidev(chip: Chip, monkeypatch: pytest.MonkeyPatch) -> SpiModule:
    module = SpiModule({(0, 0): chip})
    monkeypatch.setitem(sys.modules, "spidev", module)
    return module


@pytest.fixture
def reader(spidev: SpiModule) -> Mfrc522Reader:
    return make()


def make(port: str = PORT) -> Mfrc522Reader:
    reader = make_reader(Cards(kind="mfrc522", port=port))
    assert isinstance(reader, Mfrc522Reader)
    return reader


def started(chip: Chip) -> Mfrc522:
    spi = SpiDev({(0, 0): chip})
    spi.open(0, 0)
    spi.mode, spi.max_speed_hz = 0, 1_000_000
    driver = Mfrc522(spi, PORT)
    driver.start()
    return driver


def polled(reader: Mfrc522Reader, times: int) -> list[str]:
    """The cards that count in so many polls."""
    return [uid for _ in range(times) if (uid := reader.poll()) is not None]


# --- The UID


def test_the_check_sum_is_that_of_the_standard() -> None:
    assert with_crc(b"\x00\x00") == b"\x00\x00\xa0\x1e"
    assert with_crc(b"\x12\x34") == b"\x12\x34\x26\xcf"


@given(st.binary(max_size=20))
def test_the_check_sum_is_right_for_all_bytes(data: bytes) -> None:
    assert with_crc(data) == data + crc_a(data)


@pytest.mark.parametrize("uid", UIDS, ids=len)
def test_a_uid_comes_whole_and_again(chip: Chip, uid: bytes) -> None:
    driver = started(chip)
    card = Card(uid)
    chip.hold(card)
    for _ in range(3):
        assert driver.read_uid() == uid
        assert card.state == "halt"
    chip.hold()
    assert driver.read_uid() is None


def test_no_card_is_asked_for_in_few_transfers(chip: Chip) -> None:
    driver = started(chip)
    chip.transfers = 0
    assert driver.read_uid() is None
    assert chip.transfers <= 10


NOISE: list[Noise] = [disturbed, cut, shortened, flipped(0), flipped(9), lost]


@pytest.mark.parametrize("uid", UIDS, ids=len)
@pytest.mark.parametrize("noise", NOISE, ids=["disturbed", "cut", "shortened", "flipped", "flipped later", "lost"])
def test_one_disturbed_answer_is_asked_for_again(chip: Chip, uid: bytes, noise: Noise) -> None:
    driver = started(chip)
    chip.hold(Card(uid))
    for place in range(1, 1 + 2 * len(Card(uid).parts)):  # the first answer is only that somebody is there
        chip.noise, chip.polls = [*[None] * place, noise], 0
        assert driver.read_uid() == uid, place
        assert (chip.noise, chip.polls) == ([], 3), "it was called, brought back to its beginning, and called again"


@settings(max_examples=30)  # each takes the time that the radio does
@given(st.lists(st.one_of(st.none(), st.sampled_from(NOISE), st.integers(0, 39).map(flipped)), max_size=12), st.sampled_from(UIDS))
def test_noise_never_makes_another_uid(noise: list[Noise | None], uid: bytes) -> None:
    chip = Chip()
    driver = started(chip)
    chip.hold(Card(uid))
    chip.noise = noise
    while chip.noise:
        try:
            assert driver.read_uid() in (uid, None)
        except CardError:
            pass
    driver.read_uid()  # the card may be in the middle of something
    assert driver.read_uid() == uid


@pytest.mark.parametrize(
    ("card", "why"),
    [
        (Card(UIDS[0], spoils_bcc=True), "check byte"),
        (Card(UIDS[0], saks=[0x04]), "goes on or not"),
        (Card(UIDS[1], saks=[0x08, 0x08]), "goes on or not"),
        (Card(b"\x88\x01\x02\x03", saks=[0x04]), "answers 0 bytes instead of 5"),
        (Card(UIDS[1] + b"\x01\x02\x03\x88\x05\x06\x07"), "longer than 10 bytes"),
    ],
)
def test_a_card_that_contradicts_itself_is_none(chip: Chip, card: Card, why: str) -> None:
    driver = started(chip)
    chip.hold(card)
    with pytest.raises(CardError, match=why):
        driver.read_uid()


# --- What counts


def test_a_card_that_stays_counts_once(reader: Mfrc522Reader, chip: Chip) -> None:
    card = Card(UIDS[0])
    chip.hold(card)
    assert polled(reader, 20) == ["04A1B2C3"]
    chip.hold()
    assert polled(reader, GONE_AFTER - 1) == []
    chip.hold(card)
    assert polled(reader, 1) == [], "it was away for a moment only"
    chip.hold()
    assert polled(reader, GONE_AFTER) == []
    chip.hold(card)
    assert polled(reader, 3) == ["04A1B2C3"]


def test_another_card_counts_at_once(reader: Mfrc522Reader, chip: Chip) -> None:
    cards = [Card(uid) for uid in UIDS]
    counted = []
    for card in (*cards, *cards):
        chip.hold(card)
        counted += polled(reader, 2)
    assert counted == ["04A1B2C3", "04A1B2C3D4E5F6", "04A1B2C3D4E5F6071829"]


@pytest.mark.parametrize("other", [Card(b"\x14\xa1\xb2\xc3"), Card(b"\x04\xa1\xb2\xc2"), Card(UIDS[1], atqa=b"\x44\x00")])
def test_of_two_cards_none_counts(reader: Mfrc522Reader, chip: Chip, caplog: pytest.LogCaptureFixture, other: Card) -> None:
    caplog.set_level(logging.INFO)
    card = Card(UIDS[0])
    chip.hold(card, other)
    assert polled(reader, 20) == []
    assert caplog.messages == ["no card was read: several cards at once"]
    chip.hold(other)
    assert polled(reader, 3) == [other.uid.hex().upper()]
    chip.hold(card, other)
    assert polled(reader, 20) == []
    chip.hold(other)
    assert polled(reader, 20) == [], "it has never left"


def test_a_random_uid_does_not_count(reader: Mfrc522Reader, chip: Chip, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for last in range(10):
        chip.hold(Card(bytes([0x08, 1, 2, last])))
        assert polled(reader, 2) == []
    assert [text for text in caplog.messages if "cannot be recognized" in text] == caplog.messages[:1] == caplog.messages
    longer = Card(b"\x08\x01\x02\x03\x04\x05\x06")
    chip.hold(longer)
    assert polled(reader, 2) == [longer.uid.hex().upper()], "it is a maker's"


# --- A chip that fails


@pytest.mark.parametrize("level", [0x00, 0xFF])
def test_a_chip_that_is_not_wired_says_which_wires(spidev: SpiModule, chip: Chip, level: int) -> None:
    chip.dead = level
    with pytest.raises(OSError, match=rf"no MFRC522 answers at /dev/spidev0\.0 .*0x{level:02X}.*SDA to pin 24.*MISO to pin 21"):
        make()
    with pytest.raises(OSError, match="Bad file descriptor"):
        spidev.opened[0].xfer2([0])


def test_spi_that_is_not_turned_on_says_how(spidev: SpiModule) -> None:
    with pytest.raises(OSError, match=r"cards\.port: /dev/spidev1\.2 cannot be opened: No such file or directory; raspi-config"):
        make("/dev/spidev1.2")


def test_another_bus_and_chip_select(spidev: SpiModule) -> None:
    spidev.chips[1, 12] = Chip()
    spidev.chips[1, 12].hold(Card(UIDS[0]))
    assert polled(make("/dev/spidev1.12"), 1) == ["04A1B2C3"]


def test_without_spidev_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spidev", None)
    with pytest.raises(SettingsError, match="apt install python3-spidev"):
        make()


@pytest.mark.parametrize(("version", "is_known"), [(0x91, True), (0x92, True), (0x88, True), (0xB2, True), (0x12, True), (0x37, False)])
def test_a_version_that_is_not_known_is_tried(spidev: SpiModule, caplog: pytest.LogCaptureFixture, version: int, is_known: bool) -> None:
    chip = spidev.chips[0, 0] = Chip(version)
    chip.hold(Card(UIDS[0]))
    assert polled(make(), 1) == ["04A1B2C3"]
    assert [f"0x{version:02X}" in text for text in caplog.messages] == ([] if is_known else [True])


def test_a_reset_by_a_spike_is_mended(reader: Mfrc522Reader, chip: Chip, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    chip.hold(Card(UIDS[0]))
    assert polled(reader, 3) == ["04A1B2C3"]
    chip.reset()
    assert not chip.has_field
    assert polled(reader, 20) == [], "the card has never left"
    assert chip.has_field
    assert ["was reset" in text for text in caplog.messages] == [True, False]
    assert caplog.messages[-1] == "the card reader works again"
    chip.hold(Card(UIDS[1]))
    assert polled(reader, 3) == ["04A1B2C3D4E5F6"]


@pytest.mark.parametrize("level", [0x00, 0xFF])
def test_a_chip_that_dies_may_come_back(reader: Mfrc522Reader, chip: Chip, caplog: pytest.LogCaptureFixture, level: int) -> None:
    for _ in range(2):  # only failures in a row count
        chip.dead = level
        assert polled(reader, PATIENCE - 2) == []
        chip.dead = None
        chip.reset()
        assert polled(reader, 2) == []
    chip.hold(Card(UIDS[0]))
    assert polled(reader, 3) == ["04A1B2C3"]
    assert ["is started again" in text for text in caplog.messages] == [True, True]


@pytest.mark.parametrize("level", [0x00, 0xFF])
def test_a_chip_that_stays_away_ends_it(reader: Mfrc522Reader, chip: Chip, level: int) -> None:
    chip.dead = level
    assert polled(reader, PATIENCE - 1) == []
    with pytest.raises(OSError, match=rf"at /dev/spidev0\.0 does not answer.*0x{level:02X}"):
        reader.poll()


def test_a_chip_that_hangs_ends_it(reader: Mfrc522Reader, chip: Chip) -> None:
    chip.is_stuck = True
    assert polled(reader, PATIENCE - 1) == []
    with pytest.raises(OSError, match="does not come to an end"):
        reader.poll()


def test_a_closed_port_ends_it(reader: Mfrc522Reader, spidev: SpiModule) -> None:
    spidev.opened[0].close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        polled(reader, PATIENCE)


# --- The thread


def test_closing_ends_the_wait_at_once(spidev: SpiModule, chip: Chip) -> None:
    reader = Mfrc522Reader(started(chip), poll_seconds=NEVER)
    running = in_thread(lambda: list(reader.uids()))
    reader.close()
    reader.close()
    assert running.result(TIMEOUT) == []
    assert chip.polls == 0
    assert not chip.has_field


def test_closing_while_it_polls(chip: Chip) -> None:
    reader = Mfrc522Reader(started(chip), poll_seconds=0.0)
    found: queue.Queue[str] = queue.Queue()

    def read() -> str:
        for uid in reader.uids():
            found.put(uid)
        return "the end"

    running = in_thread(read)
    for uid in UIDS:
        chip.hold(Card(uid))
        assert found.get(timeout=TIMEOUT) == uid.hex().upper()
    polls = chip.polls
    assert wait_until(lambda: chip.polls > polls)
    reader.close()
    assert running.result(TIMEOUT) == "the end"
    assert found.empty()
    assert not chip.has_field


def test_a_reader_that_nobody_listens_to_is_closed(reader: Mfrc522Reader, chip: Chip) -> None:
    reader.close()
    assert not chip.has_field
    assert list(reader.uids()) == []


# --- config.toml


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"cards": {"kind": "rc522"}}, r"cards\.kind: 'rc522' is not one of 'serial', 'mfrc522'"),
        ({"cards": {"kind": "mfrc522"}}, r'cards\.port: \'\' is no SPI device.*"/dev/spidev0\.0"'),
        ({"cards": {"kind": "mfrc522", "port": "/dev/ttyAMA0"}}, r"cards\.port: '/dev/ttyAMA0' is no SPI device"),
        ({"cards": {"port": PORT}}, r'cards\.port: .* is an SPI device; cards\.kind = "mfrc522"'),
        ({"cards": {"kind": "mfrc522", "port": PORT}, "pins": {"unlock": 9}}, r"pins\.unlock: 9 is a pin of SPI"),
    ],
)
def test_a_mistake_in_the_settings_names_the_key(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        parse({"csms": {"url": "ws://127.0.0.1:1", "identity": "CP1"}, **changes})


def test_another_bus_leaves_the_pins_of_the_first(chip: Chip) -> None:
    cards = {"kind": "mfrc522", "port": "/dev/spidev1.0"}
    assert parse({"csms": {"url": "ws://127.0.0.1:1", "identity": "CP1"}, "cards": cards, "pins": {"unlock": 9}}).pins.unlock == 9


# --- All of it


def test_holding_a_card_starts_and_ends_a_charge(make_bench: Callable[..., Bench], csms: Csms, spidev: SpiModule, chip: Chip) -> None:
    with make_bench(cards={"kind": "mfrc522", "port": PORT}).run(csms.url) as bench:
        csms.wait_state("Available")
        bench.plug()
        csms.wait_state("Preparing")
        chip.hold(Card(UIDS[1]))
        assert csms.wait_for("Authorize").payload == {"idTag": "04A1B2C3D4E5F6"}
        bench.wait_closed()
        csms.wait_state("Charging")
        polls = chip.polls
        assert wait_until(lambda: chip.polls >= polls + 2)
        assert bench.pin["contactor"].state, "the card is still held to it"
        chip.hold()
        polls = chip.polls
        assert wait_until(lambda: chip.polls > polls + TRIES + GONE_AFTER)  # it may have been in the middle of reading
        chip.hold(Card(UIDS[1]))
        bench.wait_open()
        stop = csms.wait_for("StopTransaction").payload
        assert (stop["idTag"], stop["reason"]) == ("04A1B2C3D4E5F6", "Local")
    assert not chip.has_field


def test_a_chip_that_stays_away_ends_the_charge_and_the_program(
    make_bench: Callable[..., Bench], csms: Csms, spidev: SpiModule, chip: Chip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("charge_point.cards.PATIENCE", 3)
    with make_bench(cards={"kind": "mfrc522", "port": PORT}).run(csms.url, outcome="failed") as bench:
        csms.wait_state("Available")
        bench.plug()
        bench.press()
        bench.wait_closed()
        chip.dead = 0x00
        bench.wait_open()
        assert csms.wait_for("StopTransaction").payload["reason"] == "Other"

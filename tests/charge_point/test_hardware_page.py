"""docs/hardware.md, its drawing, config.toml and the unit name the same pins, and the program that its figures come from runs."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import gpiozero
import pytest
from charge_point.settings import Pins

from benchmarks import charging
from benchmarks.station import WORDS
from tools.generated import ROOT, stale
from tools.make_wiring import COLOURS, CONFIG, HEADER, drawing_text, header_pin, pins, wiring_files

from ..pki import pki

PAGE = ROOT / "docs" / "hardware.md"
EXAMPLE = CONFIG.parent
PAGES = [PAGE, EXAMPLE / "README.md", EXAMPLE.parent / "README.md"]
OUTPUTS = {"contactor", "led_ready", "led_charging", "led_fault", "unlock", "pilot"}
RESET = {number: "high" if number <= 8 else "low" for number in range(28)}  # by the data sheet of the BCM2835


def rows() -> dict[str, tuple[int, int, str]]:
    """The page's table of pins: a key, its GPIO, its pin of the header, and the level before the program runs."""
    found = re.findall(r"^\| (\d+) \| (\d+) \| `(\w+)` \|.*\| (\w+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {key: (int(gpio), int(pin), level) for gpio, pin, key, level in found}


def test_the_page_has_the_pins_of_the_configuration() -> None:
    assert rows() == {key: (gpio, header_pin(gpio), RESET[gpio]) for key, gpio in pins().items()}


def test_the_configuration_shows_the_defaults_and_has_the_rest_in_comments() -> None:
    defaults = {key: value for key, value in vars(Pins()).items() if type(value) is int}
    commented = {key for key in pins() if f"\n# {key} = " in CONFIG.read_text(encoding="utf-8")}
    assert {key: gpio for key, gpio in pins().items() if key not in commented} == defaults
    assert commented == {key for key, value in vars(Pins()).items() if value is None}


def test_nothing_that_moves_is_on_a_pin_that_is_high_while_the_pi_boots() -> None:
    assert {key: RESET[pins()[key]] for key in OUTPUTS} == dict.fromkeys(OUTPUTS, "low")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_pin_of_the_header_is_where_a_page_says(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [
        (gpio, pin) for gpio, pin in re.findall(r"GPIO(\d+)[^|(\n]*\((?:header )?pin (\d+)\)", text) if header_pin(int(gpio)) != int(pin)
    ] == []
    supplies = re.findall(r"(?<! or )\b(3V3|5V|GND) \((?:header )?pins? ([\d, or]+)\)", text)
    assert [(name, pin) for name, several in supplies for pin in re.findall(r"\d+", several) if HEADER[int(pin) - 1] != name] == []


def test_the_header_is_that_of_a_raspberry_pi() -> None:
    header = gpiozero.pi_info("a02082").headers["J8"]  # a Pi 3B
    assert [header.pins[number].name.removeprefix("GPIO") for number in range(1, 41)] == [str(each) for each in HEADER]


def test_the_drawing_is_up_to_date() -> None:
    assert stale(wiring_files()) == [], "run python -m tools"


def signals(drawing: str) -> set[int]:
    """The pins of the header that a drawing has a signal at: their numbers are on its colour."""
    elements = list(ElementTree.fromstring(drawing))
    return {
        int(text.text or "")
        for box, text in itertools.pairwise(elements)
        if box.get("fill") == COLOURS["signal"] and box.tag.endswith("rect")
    }


def test_the_drawing_has_wires_at_the_pins_of_the_configuration() -> None:
    fixed = {header_pin(gpio) for gpio in (2, 3, 8, 9, 10, 11)}  # clock and card reader
    assert signals(drawing_text(pins())) == {header_pin(gpio) for gpio in pins().values()} | fixed
    moved = {**pins(), "contactor": 26}
    assert signals(drawing_text(moved)) == {header_pin(gpio) for gpio in moved.values()} | fixed


def test_the_drawing_needs_nothing_from_elsewhere_and_has_its_own_background() -> None:
    drawing = drawing_text(pins())
    root = ElementTree.fromstring(drawing)
    assert not re.search(r"href|url\(|@import|@font-face", drawing)
    first = next(each for each in root if each.tag.endswith("rect"))
    assert (first.get("class"), first.get("width"), first.get("height")) == ("back", root.get("width"), root.get("height"))


def test_the_links_of_the_page_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!http)([^)]+)\)", PAGE.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        file = (PAGE.parent / path).resolve()
        assert file.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}, target


class Counting(charging.Meters):
    """Counters that go up by one at each look; those of the system count what the other tests do, too."""

    def __init__(self) -> None:
        self._own_flushes = 0
        self._looks: Iterator[int] = itertools.count()

    def read(self) -> charging.Cost:
        return charging.Cost(*[next(self._looks)] * 3)


@pytest.mark.parametrize("version", WORDS)
def test_the_program_that_measures_an_hour_of_charging_runs(version: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    server = pki().server()
    for name, file in (("ca.pem", pki().ca), ("server.pem", server.cert), ("server.key", server.key)):
        (certificates / name).symlink_to(file)
    cost = charging.measure_charging(Counting(), tmp_path, certificates, version, 2)
    assert cost == charging.Cost(1, 1, 1)
    assert (
        capsys.readouterr().out
        == f"| {version}: the program starts, and registers | 1 | 1 | 1.0 |\n| {version}: 2 minutes of charging | 1 | 1 | 1.0 |\n"
    )


def test_it_measures_no_disk_where_there_is_none() -> None:
    with pytest.raises(SystemExit, match="/proc is on no disk"):
        charging.Meters(Path("/proc"))

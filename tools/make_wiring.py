"""The wiring drawing of the charge point on a Raspberry Pi: docs/wiring.svg, with the pins of its config.toml."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

from .generated import ROOT

__all__ = ["CONFIG", "HEADER", "header_pin", "pins", "wiring_files"]

CONFIG = ROOT / "examples" / "raspberry_pi" / "charge_point" / "config.toml"
DRAWING = ROOT / "docs" / "wiring.svg"

# What is at the pins 1 to 40; a number is a GPIO.
HEADER: tuple[str | int, ...] = (
    *("3V3", "5V", 2, "5V", 3, "GND", 4, 14, "GND", 15, 17, 18, 27, "GND", 22, 23, "3V3", 24, 10, "GND"),
    *(9, 25, 11, 8, "GND", 7, 0, 1, 5, "GND", 6, 12, 13, "GND", 19, 16, 26, 20, "GND", 21),
)
COLOURS = {"3V3": "#b35900", "5V": "#cf222e", "GND": "#24292f", "signal": "#0550ae", "data": "#116329", "mains": "#7d4e00", "PE": "#2da44e"}
WIDTH, HEIGHT = 1100, 864

BOARD_LEFT, BOARD_RIGHT = 642, 820
ODD, EVEN = 715, 747  # where the two columns of the header are
FIRST_ROW, ROW = 226, 27
PARTS_LEFT, PARTS_WIDTH, PARTS_RIGHT = 350, 150, 942
MAINS_RIGHT = 322
RELAY_LEFT = 300  # it is on both sides
LANE = 8  # pixels between wires that run up and down

STYLE = """
  .back { fill: #ffffff; }
  text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1f2328; }
  .title { font-size: 20px; font-weight: 600; }
  .name { font-weight: 600; }
  .small { font-size: 11px; }
  .white { fill: #ffffff; }
  .warning { font-weight: 700; fill: #a40e26; }
  .part { fill: #f6f8fa; stroke: #57606a; stroke-width: 1.5; }
  .own { stroke-dasharray: 5 3; }
  .board { fill: #eaf5ea; stroke: #57606a; stroke-width: 1.5; }
  .mains { fill: #fff1f0; stroke: #cf222e; stroke-width: 2; stroke-dasharray: 9 5; }
  .wire { fill: none; stroke-width: 2.2; }
  .symbol { fill: #ffffff; stroke: #24292f; stroke-width: 1.5; }
"""


def pins(text: str | None = None) -> dict[str, int]:
    """The pins that config.toml names, also those in comments, which are not wired by default: a key and its GPIO number."""
    section = (CONFIG.read_text(encoding="utf-8") if text is None else text).split("\n[pins]")[1].split("\n[")[0]
    return {key: int(number) for key, number in re.findall(r"^(?:# )?(\w+) = (\d+)\b", section, re.MULTILINE)}


def header_pin(gpio: int) -> int:
    """Where a GPIO is on the header, counted from 1."""
    return HEADER.index(gpio) + 1


class Wire(NamedTuple):
    """From a pin of the header to a part: the pin, and the height at the part."""

    pin: int
    height: float


class Drawing:
    """The elements, in the order in which they are painted."""

    def __init__(self) -> None:
        self.elements: list[str] = []

    def box(self, x: float, y: float, width: float, height: float, kind: str = "part") -> None:
        self.elements.append(f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="5"/>')

    def text(self, x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> None:
        self.elements.append(f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>')

    def wire(self, kind: str, *points: tuple[float, float]) -> None:
        path = "M" + " L".join(f"{x:g} {y:g}" for x, y in points)
        self.elements.append(f'<path class="wire" stroke="{COLOURS[kind]}" d="{path}"/>')

    def dot(self, kind: str, x: float, y: float) -> None:
        self.elements.append(f'<circle fill="{COLOURS[kind]}" cx="{x:g}" cy="{y:g}" r="4"/>')

    def flag(self, x: float, y: float, pin: int, *, side: int = 1) -> None:
        """A supply that ends in a label instead of a long wire; the side is 1 to the right, -1 to the left."""
        kind, width, stub = str(HEADER[pin - 1]), 74, 14
        self.wire(kind, (x, y), (x + stub * side, y))
        self.label(x + (stub + width / 2) * side, y, width, COLOURS[kind], f"{kind} · pin {pin}")

    def label(self, x: float, y: float, width: float, colour: str, words: str) -> None:
        """White on a colour, around a point."""
        self.elements.append(f'<rect fill="{colour}" x="{x - width / 2:g}" y="{y - 10:g}" width="{width:g}" height="20" rx="3"/>')
        self.text(x, y + 4, words, "small white", "middle")

    def part(self, x: float, y: float, height: float, name: str, *lines: str, width: float = PARTS_WIDTH, kind: str = "part") -> None:
        self.box(x, y, width, height, kind)
        self.text(x + 8, y + 18, name, "name")
        for index, line in enumerate(lines):
            self.text(x + 8, y + 34 + 14 * index, line, "small")

    def resistor(self, x: float, y: float, *, upright: bool = False) -> None:
        """A resistor around a point."""
        width, height = (10, 26) if upright else (26, 10)
        self.elements.append(f'<rect class="symbol" x="{x - width / 2:g}" y="{y - height / 2:g}" width="{width}" height="{height}"/>')


def row(pin: int) -> float:
    """The height of a pin."""
    return FIRST_ROW + (pin - 1) // 2 * ROW


def run(drawing: Drawing, wires: Iterable[Wire], edge: float) -> None:
    """Wires from the header to the parts on a side, whose edge is there.

    None crosses another, since the parts are in the order of the pins.
    """
    side = 1 if edge > EVEN else -1
    start, board = (EVEN + 12, BOARD_RIGHT) if side > 0 else (ODD - 12, BOARD_LEFT)
    ordered = sorted(wires)
    up = [each for each in ordered if each.height < row(each.pin)]
    down = [each for each in reversed(ordered) if each.height >= row(each.pin)]
    for bundle in (up, down):
        lanes: list[tuple[float, float, int]] = []  # from which height to which, and the number
        for pin, height in bundle:
            top, bottom = sorted((row(pin), height))
            number = max((lane + 1 for begin, end, lane in lanes if begin <= bottom and top <= end), default=0)
            lanes.append((top, bottom, number))
            x = board + side * LANE * (number + 1)
            drawing.wire("signal", (start, row(pin)), (x, row(pin)), (x, height), (edge, height))


def header(drawing: Drawing, used: set[int]) -> None:
    """The board, with the header's pins."""
    drawing.box(BOARD_LEFT, 92, BOARD_RIGHT - BOARD_LEFT, row(40) - 60, "board")
    drawing.text(BOARD_LEFT + 10, 124, "USB", "small")
    drawing.text((BOARD_LEFT + BOARD_RIGHT) / 2, 160, "Raspberry Pi", "name", "middle")
    drawing.text((BOARD_LEFT + BOARD_RIGHT) / 2, 178, "header, seen from above", "small", "middle")
    for pin, what in enumerate(HEADER, 1):
        x, y = (ODD, EVEN)[pin % 2 == 0], row(pin)
        is_supply = isinstance(what, str)
        colour = COLOURS[what] if isinstance(what, str) else COLOURS["signal"] if pin in used else "#8c959f"
        drawing.label(x, y, 24, colour, str(pin))
        label = what if is_supply else f"GPIO{what}"
        side = 1 if pin % 2 == 0 else -1
        drawing.text(x + 18 * side, y - 3 if pin in used else y + 4, str(label), "small", "start" if side > 0 else "end")


def left(drawing: Drawing, gpio: dict[str, int]) -> set[int]:
    """What is wired to the odd pins; returns the pins of the header that have a wire."""
    x, edge, wires = PARTS_LEFT, PARTS_LEFT + PARTS_WIDTH, []
    drawing.part(x, 92, 58, "USB–RS-485", "adapter; 120 Ω at both", "ends of a long cable")
    drawing.wire("data", (edge, 120), (BOARD_LEFT, 120))

    def terminal(name: str, height: float, *, gpio: int | None = None, supply: int | None = None) -> None:
        drawing.text(edge - 6, height + 4, name, "small", "end")
        if gpio is not None:
            wires.append(Wire(header_pin(gpio), height))
        if supply is not None:
            drawing.flag(edge, height, supply)

    drawing.part(x, 168, 92, "Clock DS3231")
    terminal("VCC", 182, supply=1)
    terminal("SDA", 206, gpio=2)
    terminal("SCL", 226, gpio=3)
    terminal("GND", 248, supply=9)

    drawing.part(RELAY_LEFT, 330, 92, "", width=edge - RELAY_LEFT)
    drawing.text(x + 8, 348, "Relay module", "name")
    drawing.text(x + 8, 364, "closes on high", "small")
    terminal("VCC", 342, supply=2)
    terminal("IN", 374, gpio=gpio["contactor"])
    terminal("GND", 408, supply=39)
    drawing.wire("GND", (edge + 8, 374), (edge + 8, 408))
    drawing.dot("signal", edge + 8, 374)
    drawing.dot("GND", edge + 8, 408)
    drawing.resistor(edge + 8, 391, upright=True)
    drawing.text(edge + 20, 394, "10 kΩ", "small")

    drawing.part(x, 440, 50, "Button", "to ground")
    terminal("", 454, gpio=gpio["button"])
    terminal("", 478, supply=14)
    drawing.part(x, 506, 50, "LED ready", "330 Ω in series")
    terminal("+", 520, gpio=gpio["led_ready"])
    terminal("−", 544, supply=25)

    drawing.part(x, 572, 152, "Card reader", "MFRC522 by SPI;", "a serial or USB", "one is plugged in")
    terminal("MOSI", 586, gpio=10)
    terminal("MISO", 604, gpio=9)
    terminal("SCK", 622, gpio=11)
    terminal("SDA", 640)
    terminal("3.3V", 664, supply=17)
    terminal("RST", 686, supply=17)
    terminal("GND", 708, supply=20)
    run(drawing, wires, edge)
    # The chip select is in the other column: its wire goes around the end of the board.
    select, bottom = header_pin(8), row(40) + 48
    outside, inside = BOARD_RIGHT + LANE, BOARD_LEFT - LANE
    around = (outside, row(select)), (outside, bottom), (inside, bottom), (inside, 640.0)
    drawing.wire("signal", (EVEN + 12, row(select)), *around, (edge, 640))
    return {each.pin for each in wires} | {select}


def right(drawing: Drawing, gpio: dict[str, int]) -> set[int]:
    """What is wired to the even pins; returns the pins of the header that have a wire."""
    x, wires = PARTS_RIGHT, []
    parts = (
        (266, "pilot", "Pilot circuit", ("±12 V, diode check; a", "circuit of its own")),
        (352, "led_charging", "LED charging", ("330 Ω in series",)),
        (426, "led_fault", "LED fault", ("330 Ω in series",)),
        (500, "plug", "Plug contact", ("closed to ground while", "a car is plugged in")),
        (672, "unlock", "Lock driver", ("a transistor or relay", "for the lock's coil")),
    )
    optional = ("pilot", "plug", "unlock")
    grounds = {"pilot": 6, "led_charging": 30, "led_fault": 30, "plug": 34, "unlock": 34}
    for y, key, name, lines in parts:
        height = 34 + 14 * len(lines)
        drawing.part(x, y, height, name, *lines, width=142, kind="part own" if key in optional else "part")
        wires.append(Wire(header_pin(gpio[key]), y + 13))
        drawing.flag(x, y + height - 12, grounds[key], side=-1)
    run(drawing, wires, x)
    return {each.pin for each in wires}


def mains(drawing: Drawing) -> None:
    """The side that an electrician makes."""
    drawing.box(16, 60, MAINS_RIGHT - 16, 680, "mains")
    drawing.text(30, 84, "Mains, 230/400 V: can kill", "warning")
    drawing.text(30, 101, "Made and tested by an electrician. A principle,", "small")
    drawing.text(30, 115, "not a plan: your country's rules decide.", "small")
    line, earth, start, edge = 150, 46, 68, 262  # the live wires, protective earth, and the blocks
    blocks = (
        (130, 46, "Supply", ("a circuit of its own: L, N, PE",)),
        (196, 80, "Protection", ("breaker, surge protection,", "RCD type A with detection of", "6 mA DC, or RCD type B")),
        (296, 58, "Energy meter", ("SDM120 or SDM630", "by Modbus")),
        (440, 96, "Contactor", ("2 or 4 poles;", "RC snubber across", "its coil A1–A2")),
        (612, 64, "Socket or cable", ("type 2; its control pilot comes", "from the pilot circuit")),
    )
    for (y, height, _, _), (below, _, _, _) in pairwise(blocks):
        drawing.wire("mains", (line, y + height), (line, below))
    drawing.text(line + 8, 580, "L, N", "small")
    drawing.wire("PE", (start, 153), (earth, 153), (earth, 644), (start, 644))
    drawing.text(earth + 6, 408, "PE", "small")
    for y, height, name, lines in blocks:
        drawing.part(start, y, height, name, *lines, width=edge - start)

    drawing.text(RELAY_LEFT + 6, 378, "COM", "small")
    drawing.text(RELAY_LEFT + 6, 412, "NO", "small")
    drawing.wire("mains", (line, 374), (RELAY_LEFT, 374))
    drawing.dot("mains", line, 374)
    drawing.resistor(214, 374)
    drawing.text(214, 396, "fuse of the coil", "small", "middle")
    drawing.wire("mains", (RELAY_LEFT, 408), (290, 408), (290, 470), (edge, 470))
    drawing.text(edge - 6, 474, "A1", "small", "end")
    drawing.wire("mains", (edge, 512), (282, 512))
    drawing.text(edge - 6, 516, "A2", "small", "end")
    drawing.text(286, 516, "N", "small")

    for name, height, lane, end in (("A", 310, 331, 112), ("B", 328, 340, 128)):
        drawing.text(edge - 6, height + 4, name, "small", "end")
        drawing.wire("data", (edge, height), (lane, height), (lane, end), (PARTS_LEFT, end))


def legend(drawing: Drawing) -> None:
    """What the colours mean."""
    names = (
        ("3V3", "3.3 V"),
        ("5V", "5 V"),
        ("GND", "ground"),
        ("signal", "signal, 3.3 V"),
        ("data", "RS-485, USB"),
        ("mains", "mains"),
        ("PE", "earth"),
    )
    x = 40
    for kind, name in names:
        drawing.wire(kind, (x, 818), (x + 30, 818))
        drawing.text(x + 36, 822, name, "small")
        x += 70 + 7 * len(name)
    drawing.text(
        40,
        848,
        "Lines are joined only at a dot. The pins of dashed parts are comments in config.toml. Pins 1 to 40 are those of the header.",
        "small",
    )


def drawing_text(gpio: dict[str, int]) -> str:
    """The file."""
    drawing = Drawing()
    drawing.box(0, 0, WIDTH, HEIGHT, "back")
    drawing.text(20, 36, "A charge point on a Raspberry Pi", "title")
    mains(drawing)
    wires = Drawing()
    used = left(wires, gpio) | right(wires, gpio)
    header(drawing, used)
    drawing.elements += wires.elements
    legend(drawing)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img">'
    return "\n".join(
        (head, "<title>Wiring of a charge point on a Raspberry Pi</title>", f"<style>{STYLE}</style>", *drawing.elements, "</svg>", "")
    )


def wiring_files() -> dict[Path, str]:
    """The drawing, as it must be."""
    return {DRAWING: drawing_text(pins())}

"""config.toml: what there is to set, and errors that name the key."""

from __future__ import annotations

import re
import sys
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from .safety import ALWAYS_STOP, Cause, Policy

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class SettingsError(ValueError):
    """Something in config.toml is wrong; the text names the key, and says what to write."""


@dataclass
class Csms:
    """Who this station belongs to."""

    url: str
    identity: str
    version: str = "1.6"
    password: str = ""
    cafile: str = ""
    certfile: str = ""
    keyfile: str = ""

    @property
    def security_profile(self) -> int:
        """That of OCPP: 0 is none, 1 a password, 2 a password and TLS, 3 certificates on both sides."""
        if self.url.lower().startswith("wss:"):
            return 3 if self.certfile else 2
        return 1 if self.password else 0


@dataclass
class Station:
    """What it says it is."""

    vendor: str = "DIY"
    model: str = "Pi"
    serial: str = ""
    firmware: str = "1.0"


@dataclass
class Files:
    """Where it keeps what must outlive it."""

    outbox: str = "outbox.sqlite3"
    memory: str = "memory.json"


@dataclass
class Pins:
    """GPIO numbers; None is not wired."""

    contactor: int = 17
    button: int | None = 27
    plug: int | None = None
    unlock: int | None = None
    pilot: int | None = None
    led_ready: int | None = 22
    led_charging: int | None = 23
    led_fault: int | None = 24


@dataclass
class OpenEvseSettings:
    """The OpenEVSE board, if it is the hardware."""

    port: str = "/dev/serial0"


@dataclass
class Supply:
    """What the circuit can give."""

    amps: float = 16.0
    phases: int = 1
    volts: float = 230.0


@dataclass
class Cards:
    """The card reader."""

    kind: str = "serial"
    port: str = ""
    baud: int = 9600


@dataclass
class MeterSettings:
    """The energy meter."""

    kind: str = "simulated"
    port: str = "/dev/ttyUSB0"
    baud: int = 9600
    unit: int = 1
    seconds: float = 2.0
    patience_wh: float = 100.0


@dataclass
class Safety:
    """When the contactor opens by itself."""

    csms_seconds: float = 900.0
    over_current_percent: float = 115.0
    temperature_file: str = ""
    temperature_limit: float = 80.0
    watchdog_seconds: float = 60.0
    policies: dict[Cause, Policy] = field(default_factory=dict)


@dataclass
class Settings:
    """All of config.toml."""

    csms: Csms
    station: Station = field(default_factory=Station)
    files: Files = field(default_factory=Files)
    pins: Pins = field(default_factory=Pins)
    openevse: OpenEvseSettings = field(default_factory=OpenEvseSettings)
    supply: Supply = field(default_factory=Supply)
    cards: Cards = field(default_factory=Cards)
    meter: MeterSettings = field(default_factory=MeterSettings)
    safety: Safety = field(default_factory=Safety)
    board: str = "pi"
    button_tag: str = ""
    plug_tag: str = ""
    reboot_command: str = ""
    configuration: dict[str, str] = field(default_factory=dict)


_CHOICES = {
    "board": ("pi", "openevse"),
    "cards.kind": ("serial", "mfrc522"),
    "csms.version": ("1.6", "2.0.1"),
    "meter.kind": ("simulated", "sdm120", "sdm630"),
    "supply.phases": (1, 3),
}
_POSITIVE = {"supply.amps", "supply.volts", "cards.baud", "meter.baud", "meter.seconds", "meter.patience_wh", "safety.csms_seconds"} | {
    "safety.over_current_percent",
    "safety.watchdog_seconds",
}
SPI_PINS = range(7, 12)  # CE1, CE0, MISO, MOSI and SCLK of the first bus


def load(path: str | Path) -> Settings:
    """Read a file; paths in it are relative to its folder.

    Raises:
        SettingsError: Something in it is wrong.
    """
    path = Path(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is no TOML: {error}") from None
    try:
        settings = parse(document)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None
    for name in ("outbox", "memory"):
        setattr(settings.files, name, str(path.parent / getattr(settings.files, name)))
    for name in ("cafile", "certfile", "keyfile"):
        if getattr(settings.csms, name):
            setattr(settings.csms, name, str(path.parent / getattr(settings.csms, name)))
    return settings


def parse(document: dict[str, Any]) -> Settings:
    """Settings of a TOML document.

    Raises:
        SettingsError: Something in it is wrong.
    """
    hints = get_type_hints(Settings)
    if "csms" not in document:
        raise SettingsError("the section [csms] is missing; it needs url and identity")
    values: dict[str, Any] = {}
    for name, value in document.items():
        if name in ("board", "button_tag", "plug_tag", "reboot_command"):
            values[name] = _checked(name, value, str)
        elif name == "configuration":
            values[name] = {key: _text(f"configuration.{key}", each) for key, each in _table(name, value).items()}
        elif name in hints:
            values[name] = _section(name, hints[name], _table(name, value))
        else:
            raise SettingsError(_unknown("section", f"[{name}]", [f"[{each}]" for each in hints]))
    settings = Settings(**values)
    pins = [(each.name, getattr(settings.pins, each.name)) for each in fields(Pins)]
    wired = [(name, pin) for name, pin in pins if pin is not None and not isinstance(pin, bool)]
    for index, (name, pin) in enumerate(wired):
        for other, same in wired[:index]:
            if pin == same:
                raise SettingsError(f"pins.{name}: {pin} is the pin of pins.{other} already")
    _check_reader(settings.cards, wired)
    if settings.meter.seconds >= settings.safety.watchdog_seconds:
        raise SettingsError(
            f"meter.seconds: {settings.meter.seconds:g} is not less than safety.watchdog_seconds, {settings.safety.watchdog_seconds:g}"
        )
    if settings.supply.amps < 6:
        raise SettingsError(f"supply.amps: {settings.supply.amps:g} is too little: a car takes nothing below 6 A")
    return settings


def _check_reader(cards: Cards, wired: list[tuple[str, int]]) -> None:
    is_spi = re.fullmatch(r"/dev/spidev\d+\.\d+", cards.port) is not None
    if cards.kind == "mfrc522":
        if not is_spi:
            raise SettingsError(f'cards.port: {cards.port!r} is no SPI device, which an MFRC522 needs: write "/dev/spidev0.0"')
        for name, pin in wired:
            if pin in SPI_PINS and cards.port.startswith("/dev/spidev0."):
                raise SettingsError(f"pins.{name}: {pin} is a pin of SPI, which the card reader needs")
    elif is_spi:
        raise SettingsError(f'cards.port: {cards.port!r} is an SPI device; cards.kind = "mfrc522" goes with it')


def _section(section: str, kind: Any, table: dict[str, Any]) -> Any:
    known = get_type_hints(kind)
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{section}.{key}"
        if section == "safety" and key in {cause.value for cause in Cause}:
            values.setdefault("policies", {})[Cause(key)] = _policy(name, value)
        elif key not in known or key == "policies":
            raise SettingsError(_unknown("key", name, [f"{section}.{each}" for each in known]))
        else:
            values[key] = _checked(name, value, known[key])
    for each in fields(kind):
        if each.name not in values and each.default is MISSING and each.default_factory is MISSING:
            raise SettingsError(f"{section}.{each.name} is missing")
    return kind(**values)


def _policy(name: str, value: Any) -> Policy:
    table = _table(name, value)
    policy = table.get("policy")
    cause = Cause(name.partition(".")[2])
    if policy == "stop" and set(table) == {"policy"}:
        return Policy()
    if policy == "keep until limit" and set(table) == {"policy", "minutes"}:
        if cause in ALWAYS_STOP:
            raise SettingsError(f'{name}.policy: this cause always stops; "keep until limit" is for others')
        minutes = _checked(f"{name}.minutes", table["minutes"], float)
        if minutes <= 0:
            raise SettingsError(f"{name}.minutes: {minutes:g} is not more than 0")
        return Policy(minutes * 60)
    raise SettingsError(f'{name}: write {{ policy = "stop" }} or {{ policy = "keep until limit", minutes = 60 }}')


def _checked(name: str, value: Any, kind: Any) -> Any:
    kinds = tuple(each for each in (get_args(kind) or (kind,)) if each is not type(None))
    wanted = kinds[0]
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not wanted:
        words = {str: 'a text in quotes, "…"', int: "a whole number", float: "a number", bool: "true or false"}
        shown = "what stands there" if name.endswith("password") else repr(value)
        raise SettingsError(f"{name}: {shown} is not {words[wanted]}")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise SettingsError(f"{name}: {value!r} is not one of {', '.join(repr(each) for each in _CHOICES[name])}")
    if name in _POSITIVE and not 0 < value < 1e9:
        raise SettingsError(f"{name}: {value:g} is not more than 0")
    if name.startswith("pins.") and wanted is int and not 0 <= value <= 27:
        raise SettingsError(f"{name}: {value} is no GPIO number of the header: 0 to 27")
    return value


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, str)):
        return str(value)
    raise SettingsError(f"{name}: {value!r} is not a text, a whole number, true or false")


def _table(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SettingsError(f"{name}: {value!r} is not a section; write [{name}] and its keys below")
    return value


def _unknown(what: str, name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else "known are " + ", ".join(known)
    return f"{name} is no {what} that is known; {hint}"

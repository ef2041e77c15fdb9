"""The settings, and what is kept."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from charge_point import settings as settings_of
from charge_point.configuration import Configuration
from charge_point.controller import Controller
from charge_point.memory import Memory
from charge_point.pi import PiHardware
from charge_point.safety import Cause, Policy
from charge_point.settings import SettingsError

from ..support import TIMEOUT
from . import EXAMPLES
from .bench import HOUR, VERSIONS, Bench


def test_the_settings_that_come_along_are_valid() -> None:
    loaded = settings_of.load(EXAMPLES / "charge_point" / "config.toml")
    assert loaded.csms.identity == "CP1111"
    assert loaded.files.outbox == str(EXAMPLES / "charge_point" / "outbox.sqlite3")
    assert loaded.safety.policies[Cause.LINK_LOST] == Policy(4 * HOUR)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "is no TOML"),
        ("", "the section [csms] is missing; it needs url and identity"),
        ('[csms]\nurl="ws://x"', "csms.identity is missing"),
        ('[csms]\nurl="ws://x"\nidentity=5', """csms.identity: 5 is not a text in quotes, "…\""""),
        ('[csms]\nurl="ws://x"\nidentity="C"\nversion="1.7"', "csms.version: '1.7' is not one of '1.6', '2.0.1'"),
        ('board="esp32"\n[csms]\nurl="ws://x"\nidentity="C"', "board: 'esp32' is not one of 'pi', 'openevse'"),
        ('metre=3\n[csms]\nurl="ws://x"\nidentity="C"', "[metre] is no section that is known; did you mean [meter]?"),
        ('[csms]\nurl="ws://x"\nidentity="C"\n[pins]\nbutton=17', "pins.button: 17 is the pin of pins.contactor already"),
        ('[csms]\nurl="ws://x"\nidentity="C"\n[pins]\nbutton=99', "pins.button: 99 is no GPIO number of the header: 0 to 27"),
        ('[csms]\nurl="ws://x"\nidentity="C"\n[supply]\namps=3', "supply.amps: 3 is too little: a car takes nothing below 6 A"),
        ('[csms]\nurl="ws://x"\nidentity="C"\n[supply]\namps=true', "supply.amps: True is not a number"),
        ('[csms]\nurl="ws://x"\nidentity="C"\n[meter]\nseconds=0', "meter.seconds: 0 is not more than 0"),
        ('[csms]\nurl="ws://x"\nidentity="C"\n[meter]\nseconds=60', "meter.seconds: 60 is not less than safety.watchdog_seconds, 60"),
        (
            '[csms]\nurl="ws://x"\nidentity="C"\n[safety]\nwatchdog_seconds=1.5',
            "meter.seconds: 2 is not less than safety.watchdog_seconds, 1.5",
        ),
        ('[csms]\nurl="ws://x"\nidentity="C"\n[safety]\nlink-lost="stop"', "safety.link-lost: 'stop' is not a section"),
        ('[csms]\nurl="ws://x"\nidentity="C"\n[safety]\nlink-lost={policy="go"}', 'safety.link-lost: write { policy = "stop" } or'),
        (
            '[csms]\nurl="ws://x"\nidentity="C"\n[safety]\nwatchdog={policy="keep until limit", minutes=3}',
            "safety.watchdog.policy: this cause always stops",
        ),
    ],
)
def test_an_error_in_the_settings_names_the_key(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        settings_of.load(file)
    assert str(caught.value).startswith(str(file))
    assert message in str(caught.value)


@pytest.mark.parametrize("password", ["20250117", "0x20250117", "hunter20250117", "[20250117]", '{ is = "20250117" }', '"20250117'])
def test_a_password_that_is_written_wrong_is_not_shown(password: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'[csms]\nurl="ws://x"\nidentity="C"\npassword={password}\n', encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        settings_of.load(file)
    assert re.search(r"csms\.password: what stands there is not a text in quotes|is no TOML: .*line 4", str(caught.value))
    assert "20250117" not in str(caught.value)
    assert str(0x20250117) not in str(caught.value)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["MeterValueSampleInterval", "SampledDataCtrlr.TxUpdatedInterval"])
def test_a_configuration_key_has_the_name_of_either_version(name: str, version: str, tmp_path: Path) -> None:
    configuration = Configuration(version, Memory(tmp_path / "memory.json"), {name: "7"})
    assert configuration.number("meter_interval") == 7


def test_a_configuration_key_that_is_wrong_is_named(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(configuration={"MeterValueSampleIntervall": 60})
    hardware = PiHardware(bench.settings, clock=bench.clock)
    with pytest.raises(
        SettingsError, match=r"configuration\.MeterValueSampleIntervall is no key .*; did you mean MeterValueSampleInterval\?"
    ):
        Controller(bench.settings, hardware, clock=bench.clock)
    hardware.close()


def test_a_port_without_pyserial_says_what_to_install(make_bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "serial", None)
    bench = make_bench(cards={"port": "/dev/ttyAMA0"})
    with pytest.raises(SettingsError, match="pip install pyserial"):
        PiHardware(bench.settings)


@pytest.mark.parametrize(("section", "kind"), [("cards", "serial"), ("meter", "sdm120")])
def test_a_port_that_cannot_be_opened_is_named(make_bench: Callable[..., Bench], section: str, kind: str) -> None:
    pytest.importorskip("serial")
    bench = make_bench(**{section: {"kind": kind, "port": "/nonexistent"}})
    with pytest.raises(SettingsError, match=rf"{section}\.port: /nonexistent cannot be opened: No such file"):
        PiHardware(bench.settings)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"url": "localhost:9220"}, "localhost:9220"),
        ({"url": "wss://localhost:1", "cafile": "/nonexistent/ca.pem"}, "/nonexistent/ca.pem"),
        ({"cafile": "/nonexistent/ca.pem"}, "connects to wss:// only"),
    ],
)
def test_a_csms_that_cannot_be_right_ends_the_program_in_words(
    make_bench: Callable[..., Bench], changes: dict[str, str], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    bench = make_bench()
    for name, value in changes.items():
        setattr(bench.settings.csms, name, value)
    with bench.run(bench.settings.csms.url, outcome="failed"):
        bench.running.result(3 * TIMEOUT)
    (said,) = [record.getMessage() for record in caplog.records if record.levelno == logging.CRITICAL]
    assert said.startswith("there will be no link: ")
    assert message in said
    assert "see [csms] in config.toml" in said


@pytest.mark.parametrize(
    ("csms", "profile"),
    [
        ({"url": "ws://x"}, 0),
        ({"url": "ws://x", "password": "p"}, 1),
        ({"url": "wss://x", "password": "p"}, 2),
        ({"url": "WSS://x", "certfile": "c", "keyfile": "k"}, 3),
    ],
)
@pytest.mark.parametrize(("version", "key"), [("1.6", "SecurityProfile"), ("2.0.1", "SecurityCtrlr.SecurityProfile")])
def test_the_security_profile_is_that_of_the_link(
    make_bench: Callable[..., Bench], csms: dict[str, str], profile: int, version: str, key: str
) -> None:
    bench = make_bench(csms={"identity": "CP1", "version": version, **csms})
    hardware = PiHardware(bench.settings, clock=bench.clock)
    controller = Controller(bench.settings, hardware, clock=bench.clock)
    assert controller.configuration.text(key) == str(profile)
    controller.client.close()
    hardware.close()


def test_a_damaged_memory_is_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "memory.json"
    memory = Memory(file)
    memory.keep(list_version=7)
    assert Memory(file)["list_version"] == 7
    file.write_text('{"list_ver', encoding="utf-8")
    assert Memory(file)["list_version"] == 0
    assert (tmp_path / "memory.damaged").exists()

"""Tools for testing what is built on ocpp_sync: a clock that a test moves, a link with faults, a CSMS that answers by a script.

With pytest they are fixtures, see :mod:`ocpp_sync.testing.plugin`, and so is a CSMS that knows what a test expects.

Each name is imported when it is first used, and so is what it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .certificates import Certificates as Certificates
    from .client_fixture import OcppClientFixture as OcppClientFixture
    from .conversation import ReceivedRequest as ReceivedRequest
    from .conversation import SeenFrame as SeenFrame
    from .fake_clock import FakeClock as FakeClock
    from .faulty_link import FaultyLink as FaultyLink
    from .link_script import LinkStep as LinkStep
    from .log import Handshake as Handshake
    from .log import Received as Received
    from .scripted_csms import ScriptedCsms as ScriptedCsms
    from .server_fixture import OcppServerFixture as OcppServerFixture
    from .steps import Answer as Answer
    from .steps import Close as Close
    from .steps import Cut as Cut
    from .steps import CutAfter as CutAfter
    from .steps import Delay as Delay
    from .steps import Drop as Drop
    from .steps import Duplicate as Duplicate
    from .steps import Late as Late

_HOMES = {
    "Answer": "steps",
    "Certificates": "certificates",
    "Close": "steps",
    "Cut": "steps",
    "CutAfter": "steps",
    "Delay": "steps",
    "Drop": "steps",
    "Duplicate": "steps",
    "FakeClock": "fake_clock",
    "FaultyLink": "faulty_link",
    "Handshake": "log",
    "Late": "steps",
    "LinkStep": "link_script",
    "OcppClientFixture": "client_fixture",
    "OcppServerFixture": "server_fixture",
    "Received": "log",
    "ReceivedRequest": "conversation",
    "ScriptedCsms": "scripted_csms",
    "SeenFrame": "conversation",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})

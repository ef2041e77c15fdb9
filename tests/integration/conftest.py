"""Links between an end of ours and a peer that is not ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from ocpp_sync import OcppClient, OcppServer

from ..support import TIMEOUT, RawChargePoint, RawCsms
from .links import OcppLink, RawLink
from .peers import OcppChargePoint, OcppCsms, ocpp_package


@pytest.fixture
def ocpp_link(make_client: Callable[..., OcppClient], make_server: Callable[..., OcppServer]) -> Iterator[Callable[..., OcppLink]]:
    """Makes a link between ``"CS"`` or ``"CSMS"`` of ours and the other of ``ocpp``."""
    with ExitStack() as stack:

        def make(side: str, version: str, **options: Any) -> OcppLink:
            ocpp_package(version)
            if side == "CS":
                csms = OcppCsms(version)
                stack.callback(csms.close)
                return OcppLink(make_client(csms.url, version=version, **options), csms.next_peer())
            server = make_server(**options)
            charge_point = OcppChargePoint(server.url, version)
            stack.callback(charge_point.close)
            return OcppLink(server.wait_for("CP1", TIMEOUT), charge_point.peer)

        yield make


@pytest.fixture
def raw_link(
    make_client: Callable[..., OcppClient],
    make_server: Callable[..., OcppServer],
    raw_csms: Callable[..., RawCsms],
    raw_charge_point: Callable[..., RawChargePoint],
) -> Callable[..., RawLink]:
    """Makes a link between ``"CS"`` or ``"CSMS"`` of ours and a peer that says whatever the test wants."""

    def make(side: str, version: str, **options: Any) -> RawLink:
        if side == "CS":
            csms = raw_csms(version=version)
            return RawLink(make_client(csms.url, version=version, **options), csms, side, version)
        server = make_server(**options)
        charge_point = raw_charge_point(server.url, version=version)
        return RawLink(server.wait_for("CP1", TIMEOUT), charge_point, side, version)

    return make

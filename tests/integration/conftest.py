"""Links between an end of ours and a peer that is not ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from ocpp_sync import OcppClient, OcppServer
from ocpp_sync.testing import OcppServerFixture

from ..support import TIMEOUT, RawChargePoint, RawCsms
from .links import OcppLink, RawLink
from .peers import OcppChargePoint, OcppCsms, ocpp_package


@pytest.fixture
def ocpp_server_with(request: pytest.FixtureRequest) -> Callable[..., OcppServerFixture]:
    """``ocpp_server`` with options that come up in the test; those of its own marker come first."""

    def make(**options: Any) -> OcppServerFixture:
        request.node.add_marker(pytest.mark.ocpp_server(**options))
        server: OcppServerFixture = request.getfixturevalue("ocpp_server")
        return server

    return make


@pytest.fixture
def ocpp_link(
    make_client: Callable[..., OcppClient], ocpp_server_with: Callable[..., OcppServerFixture]
) -> Iterator[Callable[..., OcppLink]]:
    """Makes a link between ``"CS"`` or ``"CSMS"`` of ours and the other of ``ocpp``."""
    with ExitStack() as stack:

        def make(side: str, version: str, **options: Any) -> OcppLink:
            ocpp_package(version)
            if side == "CS":
                csms = OcppCsms(version)
                stack.callback(csms.close)
                return OcppLink(make_client(csms.url, version=version, **options), csms.next_peer())
            server = ocpp_server_with(**options)
            charge_point = OcppChargePoint(server.url, version)
            stack.callback(charge_point.close)
            return OcppLink(server.wait_for("CP1"), charge_point.peer)

        yield make


@pytest.fixture
def raw_link(
    make_client: Callable[..., OcppClient],
    ocpp_server_with: Callable[..., OcppServerFixture],
    raw_csms: Callable[..., RawCsms],
    raw_charge_point: Callable[..., RawChargePoint],
) -> Callable[..., RawLink]:
    """Makes a link between ``"CS"`` or ``"CSMS"`` of ours and a peer that says whatever the test wants.

    The CSMS answers all that the test does not handle, unless it is another ``server``.
    """

    def make(side: str, version: str, *, server: OcppServer | None = None, **options: Any) -> RawLink:
        if side == "CS":
            csms = raw_csms(version=version)
            return RawLink(make_client(csms.url, version=version, **options), csms, side, version)
        if server is None:
            server = ocpp_server_with(allow_invalid=True, **options).server
        charge_point = raw_charge_point(server.url, version=version)
        return RawLink(server.wait_for("CP1", TIMEOUT), charge_point, side, version)

    return make

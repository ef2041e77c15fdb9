"""The simulated charge point at a CSMS that is not ours: one written with the asyncio package ``ocpp`` and ``websockets``."""

from __future__ import annotations

import itertools
import queue
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from ocpp.routing import on
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from ocpp_sync import utcnow
from ocpp_sync.simulator import Car, Fleet, State, Station
from ocpp_sync.simulator.fleet import identities

from ..support import TIMEOUT
from .peers import Background, ocpp_package

each_version = pytest.mark.parametrize("version", ["1.6", "2.0.1"])

ACCEPTED = {"status": "Accepted"}
CAR = Car(soc=20.0)

# What a CSMS answers, without the action's own fields.
ANSWERS: dict[str, dict[str, Any]] = {
    "1.6": {
        "Authorize": {"id_tag_info": ACCEPTED},
        "DiagnosticsStatusNotification": {},
        "FirmwareStatusNotification": {},
        "MeterValues": {},
        "StatusNotification": {},
        "StopTransaction": {},
    },
    "2.0.1": {
        "Authorize": {"id_token_info": ACCEPTED},
        "FirmwareStatusNotification": {},
        "LogStatusNotification": {},
        "MeterValues": {},
        "NotifyReport": {},
        "StatusNotification": {},
        "TransactionEvent": {},
    },
}


def charge_point_class(version: str, seen: Counter[str]) -> Any:
    """What the package has for a charge point, with a handler for each action, as its users write them."""
    package = ocpp_package(version)
    transactions = itertools.count(1)

    def handled(action: str, **answer: Any) -> Any:
        async def handle(self: Any, **request: Any) -> Any:
            seen[action] += 1
            made = {name: value() if callable(value) else value for name, value in answer.items()}
            return getattr(package.call_result, action)(**made)

        handle.__name__ = f"on_{action}"  # by which the package finds it
        return on(action)(handle)

    answers: dict[str, dict[str, Any]] = {
        **ANSWERS[version],
        "BootNotification": {"current_time": utcnow, "interval": 300, "status": "Accepted"},
        "Heartbeat": {"current_time": utcnow},
    }
    if version == "1.6":
        answers["StartTransaction"] = {"transaction_id": lambda: next(transactions), "id_tag_info": ACCEPTED}
    methods = {f"on_{action}": handled(action, **answer) for action, answer in answers.items()}
    return type("Central", (package.ChargePoint,), methods)


class Central:
    """The CSMS, on an event loop in a thread of its own."""

    def __init__(self, version: str) -> None:
        self.seen: Counter[str] = Counter()
        self._package = ocpp_package(version)
        self._class = charge_point_class(version, self.seen)
        self._version = version
        self._came: queue.Queue[Any] = queue.Queue()
        self._background = Background()
        self.url: str = self._background.run(self._listen())

    async def _listen(self) -> str:
        self._server = await serve(self._serve, "127.0.0.1", 0, subprotocols=[Subprotocol(f"ocpp{self._version}")], close_timeout=1.0)
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        peer = self._class(connection.request.path.strip("/"), connection, response_timeout=TIMEOUT)
        self._came.put(peer)
        try:
            await peer.start()
        except ConnectionClosed:
            pass

    def next_peer(self) -> Any:
        return self._came.get(timeout=TIMEOUT)

    def call(self, peer: Any, action: str, **fields: Any) -> Any:
        """Ask the station for something; the package raises what is a CALLERROR, or no valid answer."""
        return self._background.run(peer.call(getattr(self._package.call, action)(**fields), suppress=False))

    def close(self) -> None:
        async def close() -> None:
            self._server.close()
            await self._server.wait_closed()

        self._background.run(close())
        self._background.close()


@pytest.fixture
def make_central() -> Iterator[Callable[[str], Central]]:
    with ExitStack() as stack:

        def make(version: str) -> Central:
            central = Central(version)
            stack.callback(central.close)
            return central

        yield make


MakeCentral = Callable[[str], Central]


@each_version
def test_a_station_obeys_a_csms_of_theirs(make_central: MakeCentral, version: str) -> None:
    central = make_central(version)
    with Station("CP1", version=version, speed=600.0).start(central.url) as station:
        peer, call = central.next_peer(), central.call
        assert station.wait_ready()
        station.plug(1, CAR)
        if version == "1.6":
            assert call(peer, "RemoteStartTransaction", id_tag="TAG").status == "Accepted"
        else:
            token = {"id_token": "TAG", "type": "Central"}
            assert call(peer, "RequestStartTransaction", id_token=token, remote_start_id=1).status == "Accepted"
        assert station.wait_for(1, State.CHARGING)
        assert station.wait_until(lambda it: it.connectors[1].energy > 1000)
        connector = station.connectors[1]
        assert connector.transaction is not None
        stop = "RemoteStopTransaction" if version == "1.6" else "RequestStopTransaction"
        if version == "1.6":
            assert call(peer, "GetConfiguration").configuration_key
            assert call(peer, "TriggerMessage", requested_message="MeterValues").status == "Accepted"
            assert call(peer, "GetCompositeSchedule", connector_id=1, duration=60).status == "Accepted"
            assert call(peer, "GetDiagnostics", location="ftp://x/").file_name
        else:
            assert call(peer, "GetBaseReport", request_id=1, report_base="FullInventory").status == "Accepted"
            assert call(peer, "TriggerMessage", requested_message="TransactionEvent").status == "Accepted"
            assert call(peer, "GetCompositeSchedule", evse_id=1, duration=60).status == "Accepted"
            log = {"remote_location": "ftp://x/"}
            assert call(peer, "GetLog", log=log, log_type="DiagnosticsLog", request_id=1).status == "Accepted"
        assert call(peer, stop, transaction_id=connector.transaction.id).status == "Accepted"
        assert station.wait_for(1, State.FINISHING)
        assert call(peer, "Reset", type="Soft" if version == "1.6" else "Immediate").status == "Accepted"
        assert station.wait_until(lambda it: it.presence.boots == 2)
        assert central.next_peer() is not peer
    assert station.errors == {}
    assert central.seen["BootNotification"] == 2
    assert central.seen["StopTransaction" if version == "1.6" else "TransactionEvent"] > 0


@each_version
def test_a_fleet_at_a_csms_of_theirs(make_central: MakeCentral, version: str) -> None:
    central = make_central(version)

    def make(identity: str, listen: Any) -> Station:
        return Station(identity, version=version, speed=2000.0, seed=5, listen=listen)

    with Fleet(identities("CP", 5), make) as fleet:
        fleet.start(central.url)
        fleet.drive(["A", "B"], at_once=True)
        fleet.lose_links(1.0)
        for station in fleet.stations:
            assert station.wait_until(lambda it: it.charging.sessions >= 1, 60)
    summary = fleet.summary()
    assert fleet.problems(summary) == []
    assert sum(central.seen.values()) > 50

"""The counters of clients and servers for Prometheus (needs the extra ``prometheus``)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from prometheus_client import REGISTRY, CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from .client import OcppClient
from .stats import Durations

if TYPE_CHECKING:
    from types import TracebackType

    from prometheus_client.metrics_core import Metric
    from typing_extensions import Self

    from .server import OcppServer

__all__ = ["Exporter", "MetricsServer"]

_LABELS = ("side", "identity")

# Powers of two, as the ends of the buckets that are kept are: so each count is exact. From 64 µs to 67 s.
_ENDS = [2.0**power / 1e6 for power in range(6, 28, 2)]

_COUNTERS = {
    # name: (what it says, the label of its parts, where it is in stats)
    "ocpp_frames": ("OCPP-J messages.", "direction", ("frames",)),
    "ocpp_bytes": ("Bytes of WebSocket frames, without TLS.", "direction", ("bytes",)),
    "ocpp_call_errors": ("CALLERRORs that came as the answer to a call.", "code", ("calls", "errors")),
    "ocpp_request_errors": ("CALLERRORs that were sent as the answer to a request.", "code", ("requests", "errors")),
}
_RESULTS = ("answered", "timeouts", "lost")
_NUMBERS = {
    "links": ("ocpp_links", "Links that were opened."),
    "malformed": ("ocpp_malformed", "What came and was no OCPP-J message."),
    "strays": ("ocpp_strays", "Answers that came to no open call."),
    "rejected": ("ocpp_rejected", "Charge points that were not let in."),
    "failed_attempts": ("ocpp_failed_attempts", "Attempts to connect that failed."),
}
_GAUGES = {
    "connected": ("ocpp_connected", "Whether the link is open."),
    "connections": ("ocpp_connections", "Charge points that are connected."),
    "open_calls": ("ocpp_open_calls", "Calls that wait for their turn or their answer."),
    "waiting_requests": ("ocpp_waiting_requests", "Requests and events that wait for the handlers."),
    "outbox": ("ocpp_outbox_messages", "Messages that wait in the outbox."),
}


class Exporter(Collector):
    """Collects from clients and servers when Prometheus asks, and costs nothing until then.

    ::

        Exporter(server)                        # in prometheus_client's own registry
        prometheus_client.start_http_server(9100)

    Each metric has the labels ``side``, ``"CS"`` or ``"CSMS"``, and ``identity``, which is empty for a server: it is one sum over all its
    charge points.

    Args:
        ends: Whose counters.
        registry: Where they are collected; None is the registry of the process.
    """

    def __init__(self, *ends: OcppClient[Any] | OcppServer, registry: CollectorRegistry | None = None) -> None:
        self._ends = ends
        (REGISTRY if registry is None else registry).register(self)

    def describe(self) -> list[Metric]:
        """Nothing: so nothing is collected at the registration."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The metrics of now."""
        found = [(_labels(end), end.stats, end.durations()) for end in self._ends]
        for name, (text, label, path) in _COUNTERS.items():
            counter = CounterMetricFamily(name, text, labels=[*_LABELS, label])
            for labels, stats, _ in found:
                for part, count in _at(stats, path).items():
                    counter.add_metric([*labels, part], count)
            yield counter
        calls = CounterMetricFamily("ocpp_calls", "Calls of this side, by what became of them.", labels=[*_LABELS, "result"])
        requests = CounterMetricFamily("ocpp_requests", "Requests of the other side that were answered.", labels=[*_LABELS, "result"])
        for labels, stats, _ in found:
            for result in _RESULTS:
                calls.add_metric([*labels, result], stats["calls"][result])
            calls.add_metric([*labels, "errors"], sum(stats["calls"]["errors"].values()))
            requests.add_metric([*labels, "answered"], stats["requests"]["answered"])
            requests.add_metric([*labels, "errors"], sum(stats["requests"]["errors"].values()))
        yield from (calls, requests)
        for key, (name, text) in _NUMBERS.items():
            yield _filled(CounterMetricFamily(name, text, labels=_LABELS), key, found)
        for key, (name, text) in _GAUGES.items():
            yield _filled(GaugeMetricFamily(name, text, labels=_LABELS), key, found)
        latency = HistogramMetricFamily("ocpp_call_seconds", "From a CALL to its answer.", labels=_LABELS)
        handling = HistogramMetricFamily("ocpp_handler_seconds", "From the start of a handler to its answer.", labels=_LABELS)
        for labels, _, (answers, handlers) in found:
            _add(latency, labels, answers)
            _add(handling, labels, handlers)
        yield from (latency, handling)


class MetricsServer:
    """An HTTP server with the counters of clients and servers, for Prometheus to ask: ``http://HOST:PORT/metrics``.

    Args:
        ends: Whose counters, and nothing but these.
        port: 0 picks a free one.
        host: The address to listen at; ``""`` is every interface, by IPv4.

    Attributes:
        port: The port.
        url: What Prometheus asks.

    Raises:
        OSError: It cannot listen there.
    """

    def __init__(self, *ends: OcppClient[Any] | OcppServer, port: int, host: str = "127.0.0.1") -> None:
        registry = CollectorRegistry()
        Exporter(*ends, registry=registry)
        self._server, self._thread = start_http_server(port, host or "0.0.0.0", registry)  # noqa: S104 (it is what was asked for)
        self.port: int = self._server.server_port
        name = f"[{host}]" if ":" in host else host or "localhost"
        self.url = f"http://{name}:{self.port}/metrics"

    def close(self) -> None:
        """Stop listening; twice does not hurt."""
        self._server.shutdown()
        self._server.server_close()
        if self._thread is not threading.current_thread():
            self._thread.join(5.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


_Found = list[tuple[list[str], dict[str, Any], tuple[Durations, Durations]]]


def _labels(end: OcppClient[Any] | OcppServer) -> list[str]:
    return ["CS", end.identity] if isinstance(end, OcppClient) else ["CSMS", ""]


def _at(stats: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, int]:
    value: Any = stats
    for name in path:
        value = value[name]
    return dict(value)


def _filled(family: Any, key: str, found: _Found) -> Any:
    for labels, stats, _ in found:
        if stats.get(key) is not None:
            family.add_metric(labels, stats[key])
    return family


def _add(family: HistogramMetricFamily, labels: list[str], durations: Durations) -> None:
    buckets = list(durations.buckets())
    below = [(str(end), float(sum(count for _, upper, count in buckets if upper <= end))) for end in _ENDS]
    family.add_metric(labels, [*below, ("+Inf", float(durations.count))], durations.total)

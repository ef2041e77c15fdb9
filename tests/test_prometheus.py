"""The counters as Prometheus sees them."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry

from ocpp_sync import CallError, OcppClient, OcppServer
from ocpp_sync.prometheus import Exporter, MetricsServer

MakeClient = Callable[..., OcppClient]


@pytest.fixture
def busy(server: OcppServer, make_client: MakeClient) -> OcppClient:
    """A client that has called twice, once in vain."""
    server.on("Heartbeat", lambda charge_point, request: {"currentTime": "2026-01-31T12:00:00Z"})
    client = make_client(server.url, version="1.6")
    client.call("Heartbeat")
    with pytest.raises(CallError):
        client.call("Authorize", {"idTag": "X"})
    return client


def test_both_ends_are_collected(server: OcppServer, busy: OcppClient) -> None:
    registry = CollectorRegistry()
    Exporter(server, busy, registry=registry)

    def value(name: str, side: str, identity: str = "", **labels: str) -> float | None:
        return registry.get_sample_value(name, {"side": side, "identity": identity, **labels})

    assert value("ocpp_frames_total", "CS", "CP1", direction="out") == 2
    assert value("ocpp_frames_total", "CSMS", direction="in") == 2
    assert value("ocpp_calls_total", "CS", "CP1", result="answered") == 1
    assert value("ocpp_calls_total", "CS", "CP1", result="errors") == 1
    assert value("ocpp_calls_total", "CS", "CP1", result="lost") == 0
    assert value("ocpp_call_errors_total", "CS", "CP1", code="NotSupported") == 1
    assert value("ocpp_requests_total", "CSMS", result="answered") == 1
    assert value("ocpp_request_errors_total", "CSMS", code="NotSupported") == 1
    assert value("ocpp_connected", "CS", "CP1") == 1
    assert value("ocpp_connections", "CSMS") == 1
    assert value("ocpp_connections", "CS", "CP1") is None
    assert value("ocpp_links_total", "CSMS") == 1
    assert value("ocpp_call_seconds_count", "CS", "CP1") == 2
    assert value("ocpp_handler_seconds_count", "CSMS") == 2
    assert value("ocpp_call_seconds_bucket", "CS", "CP1", le="+Inf") == 2
    total = value("ocpp_call_seconds_sum", "CS", "CP1")
    assert total is not None
    assert total == pytest.approx(2 * busy.stats["latency"]["mean"])


def test_buckets_only_grow(server: OcppServer, busy: OcppClient) -> None:
    registry = CollectorRegistry()
    Exporter(busy, registry=registry)
    (family,) = [family for family in registry.collect() if family.name == "ocpp_call_seconds"]
    counts = [sample.value for sample in family.samples if sample.name.endswith("_bucket")]
    assert counts == sorted(counts)
    assert len(counts) == 12


def test_it_is_served_by_http(server: OcppServer, busy: OcppClient) -> None:
    with MetricsServer(server, port=0) as metrics:
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics.port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        assert 'ocpp_requests_total{identity="",result="answered",side="CSMS"} 1.0' in text
        assert "python_info" not in text
        metrics.close()
    assert not [thread for thread in threading.enumerate() if "serve_forever" in repr(getattr(thread, "_target", None))]


def test_a_port_that_is_taken(server: OcppServer) -> None:
    with MetricsServer(server, port=0) as metrics, pytest.raises(OSError, match="in use"):
        MetricsServer(server, port=metrics.port)


@pytest.mark.parametrize(("host", "url"), [("", "http://localhost:"), ("127.0.0.1", "http://127.0.0.1:"), ("::1", "http://[::1]:")])
def test_the_url_can_be_asked(server: OcppServer, host: str, url: str) -> None:
    with MetricsServer(server, port=0, host=host) as metrics, urllib.request.urlopen(metrics.url, timeout=10) as answer:
        assert metrics.url.startswith(url)
        assert answer.status == 200

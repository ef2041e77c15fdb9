"""The pytest plug-in: fixtures for testing controllers, see docs/testing.md.

pytest imports this in every project where ocpp_sync is installed: so nothing else is imported before a fixture is used.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .certificates import Certificates
    from .client_fixture import OcppClientFixture
    from .fake_clock import FakeClock
    from .faulty_link import FaultyLink
    from .server_fixture import OcppServerFixture

__all__ = ["fake_clock", "faulty_link", "ocpp_client", "ocpp_server"]

_MARKER = (
    "ocpp_server(versions, tls, client_certificates, heartbeat_interval, tokens, password, timeout, allow_invalid, allow_failures, "
    "**options): options of the fixture ocpp_server, and those of ocpp_sync.OcppServer"
)

_SERVER = pytest.StashKey["OcppServerFixture"]()
_REPORTED = pytest.StashKey[bool]()  # whether the frames are in a report already


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting ``ocpp_timeout``."""
    parser.addini("ocpp_timeout", "seconds that the fixture ocpp_server waits for what must come (default: 10)", default="10")


def pytest_configure(config: pytest.Config) -> None:
    """Add the marker."""
    config.addinivalue_line("markers", _MARKER)


# --- Fixtures


@pytest.fixture
def ocpp_server(request: pytest.FixtureRequest) -> Iterator[OcppServerFixture]:
    """A CSMS at a free port of 127.0.0.1 that answers each charge point, keeps what it sends, and knows what the test expects."""
    from .marker import server_options
    from .server_fixture import OcppServerFixture

    wrong = ""
    try:
        options = server_options((mark.args, mark.kwargs) for mark in request.node.iter_markers("ocpp_server"))
        options.setdefault("timeout", _timeout(request.config))
        if options.pop("tls", False):
            options["certificates"] = request.getfixturevalue("_ocpp_certificates")
        server = OcppServerFixture(**options)
    except (ValueError, TypeError) as error:
        wrong = f"ocpp_server: {error}"
    if wrong:  # here, where the error is not shown once more as a context
        pytest.fail(wrong, pytrace=False)
    request.node.stash[_SERVER], request.node.stash[_REPORTED] = server, False
    try:
        yield server
    finally:
        server.close()
    _fail_for(server.new_problems())


@pytest.fixture
def ocpp_client(ocpp_server: OcppServerFixture) -> Iterator[OcppClientFixture]:
    """Makes charge points that are connected to ``ocpp_server``: ``ocpp_client("CP1", version="1.6")``."""
    from .client_fixture import OcppClientFixture

    with contextlib.closing(OcppClientFixture(ocpp_server)) as clients:
        yield clients


@pytest.fixture
def faulty_link(ocpp_server: OcppServerFixture) -> Iterator[FaultyLink]:
    """A link with faults in front of ``ocpp_server``: ``ocpp_client("CP1", url=faulty_link.url)``."""
    from .faulty_link import FaultyLink

    with FaultyLink(ocpp_server.url) as link:
        yield link


@pytest.fixture
def fake_clock() -> FakeClock:
    """A clock that the test moves: ``ocpp_client("CP1", clock=fake_clock)``."""
    from .fake_clock import FakeClock

    return FakeClock()


@pytest.fixture(scope="session")
def _ocpp_certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    from .certificates import Certificates

    try:
        return Certificates(tmp_path_factory.mktemp("ocpp_certificates"))
    except ImportError:
        pytest.fail("tls=True needs the package 'cryptography': pip install 'ocpp-sync[certs]'", pytrace=False)


def _timeout(config: pytest.Config) -> float:
    text = config.getini("ocpp_timeout")
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise ValueError(f"ocpp_timeout in the settings of pytest is a number of seconds, not {text!r}")
    return seconds


# --- Reports


@pytest.hookimpl(trylast=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Fail a test that has passed so far, if something went wrong that it has not looked at. When it has failed, this is not called."""
    if (server := item.stash.get(_SERVER, None)) is not None:
        _fail_for(server.new_problems())


def _fail_for(problems: list[str]) -> None:
    if problems:
        pytest.fail("\n\n".join(problems), pytrace=False)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    """Add what was said to the report of a test that has failed."""
    outcome = yield
    report: pytest.TestReport = outcome.get_result()
    server = item.stash.get(_SERVER, None)
    if server is not None and report.failed:
        if problems := server.new_problems():
            report.sections.append(("ocpp problems", "\n\n".join(problems)))
        if not item.stash[_REPORTED]:
            item.stash[_REPORTED] = True
            report.sections.append(("ocpp frames", server.transcript() or "none"))
    if server is not None and report.when == "teardown":
        del item.stash[_SERVER]

"""The pytest plug-in in projects that use it: what passes, what fails, and what is said then."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import ocpp_sync.testing

from .test_architecture import new_modules

DOCS = Path(__file__).parents[1].joinpath("docs/testing.md").read_text(encoding="utf-8")
EXAMPLES = [example for example in re.findall(r"^```python\n(.*?)^```", DOCS, re.M | re.S) if "def test_" in example]

CLIENT = """
import pytest
from ocpp_sync import CallError, OcppClient

BOOT = {"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"}
"""


class Imported:
    """What is imported within pytester stays, although that forgets it: some libraries must not be imported twice."""

    def __init__(self) -> None:
        self.modules = dict(sys.modules)

    def pytest_unconfigure(self) -> None:
        new = {name: module for name, module in sys.modules.items() if not name.startswith(("test_", "conftest"))}
        self.modules = {**new, **self.modules}

    def restore(self) -> None:
        sys.modules.update(self.modules)


@pytest.fixture(autouse=True)
def imported(monkeypatch: pytest.MonkeyPatch) -> Iterator[Imported]:
    """As an autouse fixture it ends after pytester."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    imported = Imported()
    yield imported
    imported.restore()


Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, imported: Imported) -> Run:
    """Runs tests of a project that has ocpp_sync installed."""

    def run(test: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(test)
        arguments = ("--strict-markers", "-W", "error", "-p", "no:cacheprovider", *options)
        result = pytester.runpytest_inprocess(*arguments, plugins=[imported])
        imported.restore()
        return result

    return run


def text_of(result: pytest.RunResult) -> str:
    return "\n".join(result.outlines)


# --- The documentation


def test_there_are_examples_of_each_fixture() -> None:
    signatures = " ".join(re.findall(r"def test_\w+\((.*)\)", "".join(EXAMPLES)))
    assert all(fixture in signatures for fixture in ("ocpp_server", "ocpp_client", "faulty_link", "fake_clock"))


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_pass(run: Run, example: str) -> None:
    run(example).assert_outcomes(passed=example.count("def test_"))


def test_the_controller_of_the_documentation_is_tested_in_15_lines() -> None:
    test = EXAMPLES[0].split("\n\n\n")[2].strip()
    assert test.startswith("def test_a_car_is_charged")
    assert len(test.split("\n")) <= 15


def without_times(text: str) -> str:
    return re.sub(r"\b\d+\.\d{3}\b", "TIME", text)


def test_what_the_documentation_says_of_a_failure_is_so(run: Run) -> None:
    broken = EXAMPLES[0].replace('"status": "Charging"', '"status": "Preparing"')
    # It must not stay here for ever.
    ending = "while not unplugged.wait(0.05):\n        if not client.connected:\n            return"
    result = run(broken.replace("unplugged.wait()", ending), "-o", "ocpp_timeout=1.5", "-k", "unplugged")
    result.assert_outcomes(failed=1)
    shown = re.findall(r"^E +(.*)", text_of(result), re.M)
    documented = re.findall(r"^```\n(AssertionError.*?)^```", DOCS, re.M | re.S)[0].replace("10 s", "1.5 s").strip()
    expected = [without_times(line).strip() for line in documented.split("\n")]
    assert [without_times(line).strip() for line in shown[: len(expected)]] == expected


# --- Reports


def test_frames_are_shown_when_a_test_fails_and_only_then(run: Run) -> None:
    result = run(
        CLIENT
        + """
def test_passes(ocpp_server, ocpp_client):
    ocpp_client("QUIET", version="1.6").call("Heartbeat")

def test_fails(ocpp_server, ocpp_client):
    client = ocpp_client("CP1", version="2.0.1")
    client.call("Authorize", {"idToken": {"idToken": "4711", "type": "KeyCode"}})
    assert False, "of the test"

def test_without():
    assert False
""",
    )
    result.assert_outcomes(passed=1, failed=2)
    text = text_of(result)
    assert text.count("- ocpp frames -") == 1
    assert re.search(r"^ +\d\.\d{3} CP1     connected with OCPP 2.0.1$", text, re.M)
    assert 'CP1 --> CALL Authorize CS-1 {"idToken": {"idToken": "***", "type": "KeyCode"}}' in text
    assert "4711" not in text.split("- ocpp frames -")[1]
    assert "QUIET" not in text
    assert "ocpp problems" not in text


def test_frames_are_shown_when_a_fixture_fails(run: Run) -> None:
    result = run(
        CLIENT
        + """
@pytest.fixture
def controller(ocpp_server, ocpp_client):
    ocpp_client("CP1", version="1.6").call("Heartbeat")
    raise RuntimeError("of the fixture")

@pytest.fixture
def leaver(ocpp_server, ocpp_client):
    yield ocpp_client("CP2", version="1.6").call("Heartbeat")
    raise RuntimeError("of the fixture")

def test_it(controller): pass
def test_that(leaver): pass
""",
    )
    result.assert_outcomes(errors=2, passed=1)
    result.stdout.fnmatch_lines(["*- ocpp frames -*", "*CP1 --> CALL Heartbeat*", "*- ocpp frames -*", "*CP2 --> CALL Heartbeat*"])


def test_frames_are_shown_once(run: Run) -> None:
    result = run(
        CLIENT
        + """
@pytest.fixture
def leaver(ocpp_client):
    yield ocpp_client("CP1", version="1.6")
    raise RuntimeError("of the fixture")

def test_it(ocpp_server, leaver):
    leaver.call("Heartbeat")
    assert False, "of the test"
""",
    )
    result.assert_outcomes(failed=1, errors=1)
    assert text_of(result).count("- ocpp frames -") == 1


def test_an_expectation_is_shown_where_it_stands(run: Run) -> None:
    test = """
def test_it(ocpp_server):
    ocpp_server.expect("Heartbeat", timeout=0.01)

def test_that(ocpp_server):
    ocpp_server.reply("Authorize", {})
"""
    result = run(CLIENT + test)
    result.assert_outcomes(failed=2)
    text = text_of(result)
    assert ">       ocpp_server.expect" in text
    assert "E       AssertionError: no Heartbeat has come within 0.01 s" in text
    assert "ocpp_sync/testing" not in text.replace("\\", "/")
    assert text.count("- ocpp frames -\nnone") == 0  # the title is as wide as the terminal
    assert re.search(r"- ocpp frames -+\nnone\n", text)


# --- What fails a test that has passed so far


def test_a_charge_point_that_breaks_a_schema_fails_the_test(run: Run) -> None:
    result = run(
        CLIENT
        + """
def talk(ocpp_client):
    with pytest.raises(CallError):
        ocpp_client("CP1", version="1.6", validation="off").call("BootNotification", {})

def test_fails(ocpp_server, ocpp_client):
    talk(ocpp_client)

@pytest.mark.ocpp_server(allow_invalid=True)
def test_by_the_marker(ocpp_server, ocpp_client):
    talk(ocpp_client)

def test_by_the_attribute(ocpp_server, ocpp_client):
    talk(ocpp_client)
    ocpp_server.allow_invalid = True

@pytest.mark.xfail(strict=True)
def test_that_is_known_to_fail(ocpp_server, ocpp_client):
    talk(ocpp_client)

def test_skipped(ocpp_server, ocpp_client):
    talk(ocpp_client)
    pytest.skip()
""",
    )
    result.assert_outcomes(failed=1, passed=2, xfailed=1, skipped=1, errors=1)
    text = text_of(result)
    said = "CP1 sent an invalid BootNotification (#1): 'chargePointVendor', 'chargePointModel' are missing\n(allow_invalid=True lets it)"
    assert re.search(rf"_ test_fails _+\n{re.escape(said)}\n", text)
    assert re.search(r"ERROR at teardown of test_skipped", text)


def test_a_handler_that_fails_fails_the_test(run: Run) -> None:
    result = run(
        CLIENT
        + """
def test_fails(ocpp_server, ocpp_client):
    client = ocpp_client("CP1", version="1.6")
    client.on("ClearCache", lambda request: 1 / 0)
    with pytest.raises(CallError):
        ocpp_server.call("ClearCache")

def test_read(ocpp_server, ocpp_client):
    client = ocpp_client("CP1", version="1.6")
    ocpp_server.reply("Heartbeat", lambda request: 1 / 0)
    with pytest.raises(CallError):
        client.call("Heartbeat")
    assert "ZeroDivisionError" in ocpp_server.failures.pop()

def test_a_client_of_ones_own(ocpp_server):
    with OcppClient("CP1", version="1.6").connect(ocpp_server.url) as client:
        client.on("ClearCache", lambda request: "Accepted")
        with pytest.raises(CallError):
            ocpp_server.call("ClearCache")
""",
    )
    result.assert_outcomes(failed=2, passed=1)
    text = text_of(result)
    assert "the handler of ClearCache failed\nTraceback (most recent call last):\n" in text
    assert "TypeError: the handler of ClearCache must return a dict or None, not str\n(allow_failures=True lets it)\n" in text


def test_what_goes_wrong_in_a_test_that_fails_is_a_section(run: Run) -> None:
    result = run(
        CLIENT
        + """
def test_fails(ocpp_server, ocpp_client):
    client = ocpp_client("CP1", version="1.6")
    ocpp_server.reply("Heartbeat", lambda request: 1 / 0)
    client.call("Heartbeat")
""",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*CallError: InternalError", "*- ocpp problems -*", "the handler of Heartbeat failed", "*- ocpp frames *"])


def test_no_problem_commands_the_terminal(run: Run) -> None:
    result = run(
        """
def test_fails(ocpp_server):
    ocpp_server.failures.append("a handler failed\\nwith \\x1b[2J")
    assert False

def test_passes_so_far(ocpp_server):
    ocpp_server.failures.append("another failed\\nwith \\x1b[2J")
""",
    )
    result.assert_outcomes(failed=2)
    assert "\x1b" not in text_of(result)
    result.stdout.fnmatch_lines(["*- ocpp problems -*", "a handler failed", "with \\x1b[[]2J"])
    result.stdout.fnmatch_lines(["*_ test_passes_so_far _*", "another failed", "with \\x1b[[]2J"])


def test_what_goes_wrong_after_the_test_is_an_error(run: Run) -> None:
    result = run(
        CLIENT
        + """
def test_it(ocpp_server, ocpp_client):
    ocpp_client("CP1", version="1.6").call("Heartbeat")
    ocpp_server.server.on("close", lambda charge_point, code, reason: 1 / 0)
""",
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_it*", "a handler of the event 'close' failed", "*- ocpp frames -*"])


def test_a_session_is_over_at_the_end_of_its_test(run: Run) -> None:
    """A client that is left open, of one's own too, meets a server that is gone."""
    result = run(
        CLIENT
        + """
import threading

left = []

def test_it(ocpp_server, ocpp_client, faulty_link):
    left.append(OcppClient("CP1", version="1.6", reconnect=None).connect(ocpp_server.url))
    left.append(ocpp_client("CP2", version="1.6", url=faulty_link.url))
    assert all(client.connected for client in left)

def test_afterwards():
    assert all(client.wait_closed(10) for client in left)
    left[0].close()
    assert [thread.name for thread in threading.enumerate() if "ocpp" in thread.name or "link" in thread.name] == []
""",
    )
    result.assert_outcomes(passed=2)


# --- Options


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        ('versons=["1.6"]', "ocpp_server: the marker has no option 'versons'; did you mean 'versions'?"),
        ("xyz=1", "ocpp_server: the marker has no option 'xyz'; there are versions, heartbeat_interval, tokens, *, allow_failures, *, tls"),
        ('["1.6"]', "ocpp_server: the marker takes named options only, for example versions=*, not *"),
        ('versions=["1.7"]', "ocpp_server: *1.7*"),
        ("client_certificates=True", "ocpp_server: client_certificates needs tls=True"),
        ("heartbeat_interval=0", "ocpp_server: the interval is a whole number of seconds from 1 to 2147483647, not 0"),
        ("limits=7, tokens=7", "ocpp_server: 'int' object is not iterable"),
        ('timeout="long"', "ocpp_server: timeout is a number of seconds above zero, not 'long'"),
    ],
)
def test_a_wrong_option_is_an_error_that_says_so(run: Run, marker: str, said: str) -> None:
    test = f"import pytest\n@pytest.mark.ocpp_server({marker})\ndef test_it(ocpp_server): pass"
    result = run(test)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([said.replace("[", "[[]")])
    assert "Traceback" not in text_of(result)
    assert "During handling" not in text_of(result)


def test_the_setting_of_the_timeout(run: Run) -> None:
    test = "def test_it(ocpp_server): assert ocpp_server.timeout == {}"
    run(test.format(10.0)).assert_outcomes(passed=1)
    run(test.format(2.5), "-o", "ocpp_timeout=2.5").assert_outcomes(passed=1)
    for wrong in ("soon", "0", "-1", "inf", "nan"):
        result = run(test, "-o", f"ocpp_timeout={wrong}")
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines([f"ocpp_server: ocpp_timeout in the settings of pytest is a number of seconds, not '{wrong}'"])


def test_tls_without_its_package(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    result = run("import pytest\n@pytest.mark.ocpp_server(tls=True)\ndef test_it(ocpp_server): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["tls=True needs the package 'cryptography': pip install 'ocpp-sync[[]certs]'"])


# --- In other projects


def test_it_costs_little_where_it_is_not_used() -> None:
    loaded = new_modules("import pytest; import ocpp_sync.testing.plugin")
    ours = {name for name in loaded if name.partition(".")[0] == "ocpp_sync"}
    assert ours == {"ocpp_sync", "ocpp_sync.testing", "ocpp_sync.testing.plugin"}


def test_the_library_does_not_need_pytest() -> None:
    names = {path.stem for path in Path(ocpp_sync.testing.__path__[0]).glob("*.py")} - {"plugin", "__init__"}
    assert "server_fixture" in names
    loaded = new_modules("import " + ", ".join(f"ocpp_sync.testing.{name}" for name in names))
    assert not {name for name in loaded if "pytest" in name}


def test_the_marker_and_the_setting_are_described(pytester: pytest.Pytester) -> None:
    pytester.runpytest("--markers").stdout.fnmatch_lines(["@pytest.mark.ocpp_server(versions, tls, *"])
    text = text_of(pytester.runpytest("--help"))
    assert "ocpp_timeout" in text


def test_it_can_be_switched_off(run: Run) -> None:
    result = run("def test_it(ocpp_server): pass\ndef test_other(): pass", "-p", "no:ocpp_sync")
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["*fixture 'ocpp_server' not found"])


def test_it_works_in_a_process_of_its_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(EXAMPLES[0])
    result = pytester.runpytest_subprocess("--strict-markers", "-W", "error")
    result.assert_outcomes(passed=2)

"""Makes docs/rules.md: which tests prove which rule. ``python -m tests.rules`` writes it, tests/test_rules.py checks it."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "rules.md"

RULES = {
    "A1": "The URL is the endpoint, `/`, and the percent-encoded identity; a query string is kept.",
    "A2": "Identities: 1 to 255 characters, no control characters, no `/`; whatever their case in 2.x; no `:` with Basic by a client.",
    "A3": "Subprotocols `ocpp1.6`, `ocpp2.0.1`, `ocpp2.1` in the client's order; the server takes the first that it supports.",
    "A4": "No common subprotocol: 101 and then close 1002, or 400 if so set; a client never goes on with it.",
    "A5": "Unknown identity 404, failed authentication 401 with `WWW-Authenticate: Basic`, before any frame.",
    "A6": "Compression (RFC 7692) is optional; nobody closes because it is absent.",
    "A7": "Pings after a time of silence, 0 is none; no sign of life after one ends the link.",
    "A8": "Delays before a reconnect: minimum and a random part, doubled so often, then the same; a connect begins anew; never given up.",
    "A9": "The newest connection of an identity wins; the clean-up of the old one does not touch it.",
    "B1": "CALL, CALLRESULT, CALLERROR; CALLRESULTERROR and SEND in 2.1. Actions are case-sensitive.",
    "B2": "An id has at most 36 characters and is never reused by its sender.",
    "B3": "One outstanding CALL in each direction, in order; incoming CALLs are served meanwhile; SEND is exempt.",
    "B4": "A CALL that is not answered in time fails for its caller, and the next goes out.",
    "B5": "Exactly one answer to each CALL.",
    "B6": "An unreadable id: 2.x answers id `-1` with RpcFrameworkError, without the raw text; 1.6 logs and drops.",
    "B7": "An unknown message type: 1.6 and 2.1 ignore it, 2.0.1 answers MessageTypeNotSupported.",
    "B8": "An undefined action is NotImplemented, one without a handler NotSupported.",
    "B9": "An id that is too long, or in use: RpcFrameworkError (1.6: GenericError), the id cut to 36 characters.",
    "B10": "The ten error codes of 1.6, misspellings included.",
    "B11": "The twelve error codes of 2.x; inbound, either spelling is understood and an unknown code kept.",
    "B12": "Which error code stands for which broken schema keyword.",
    "B13": "errorDescription of 2.x is cut to 255 characters; errorDetails are an object; inbound, both may be missing or null.",
    "B14": "A null payload is read as `{}`; unset fields are left out, never null.",
    "B15": "Extra fields are invalid, except below `customData`.",
    "B16": "Late, repeated and unsolicited answers are harmless; an invalid CALLRESULT fails its call, in 2.1 with a CALLRESULTERROR.",
    "B17": "A SEND is never answered.",
    "B18": "Draft-04 and draft-06; `multipleOf: 0.1` in decimals; no NaN or infinity.",
    "B19": "The errata of the 1.6 schemas.",
    "B20": "Times are ISO 8601, written as UTC with `Z` and milliseconds; decimals to a charge point have six places at most.",
    "C1": "The security profiles: 0 none, 1 Basic, 2 TLS and Basic, 3 TLS with certificates on both sides.",
    "C2": "Basic credentials: the identity is the user; a 1.6 AuthorizationKey goes out as raw bytes.",
    "C3": "TLS 1.2 or newer, without compression.",
    "C4": "The four cipher suites of TLS 1.2, beside those of 1.3; an RSA and an ECDSA certificate at once.",
    "C5": "The server has an RSA certificate of at most 2048 bytes, for small stations.",
    "C6": "The station verifies the CSMS's chain and host name.",
    "C7": "Profile 3: the CSMS verifies the station's chain, and that the certificate names it.",
    "C8": "No fall-back; what failed is told apart.",
    "D1": "BootNotification after each start of the station, not after a mere reconnect.",
    "D2": "Until the CSMS has answered with Accepted (or Pending) nothing else is sent.",
    "D3": "Pending: boots and triggered messages only. Rejected: silence; requests get no answer in 1.6, SecurityError in 2.x.",
    "D4": "A new boot not before `interval` seconds, unless triggered; with 0, or no reply, the delays of A8.",
    "D5": "Accepted: the interval of the heartbeats and the time are the CSMS's; the state of the connectors is reported.",
    "D6": "A heartbeat is left out when another message went out meanwhile; one a day is sent for the time.",
    "D7": "1.6: StartTransaction, StopTransaction and MeterValues of a transaction are kept offline, and delivered in their order.",
    "D8": "2.x: every TransactionEvent is kept offline, and whatever else is put into the outbox.",
    "D9": "After a CALLERROR or a time-out again, after interval × attempts; then given up and reported. Offline time uses up no attempt.",
    "D10": "1.6: queued messages get the transactionId when it is known; -1 if it never is.",
    "D11": "2.x: seqNo from 0 without a gap; what was not made on the link that it goes out by carries `offline`.",
    "D12": "A full queue drops intermediate events only, every other one first.",
    "D13": "Queue and order survive a power cut at any moment.",
}

_HEAD = """# Rules, and the tests that prove them

The rules of OCPP-J that the library follows, restated from OCPP-J 1.6 and its errata (A, B), part 4 of OCPP 2.0.1 and 2.1, the security
white paper (C), and the duties of a charge point (D). A test belongs to a rule when its name begins with it: `test_b16_…`. Made by
`python -m tests.rules`; a test fails when it is out of date, and when a rule has no test.

| rule | what it says | tests |
| --- | --- | --- |
"""

_NAME = re.compile(r"test_((?:[a-e]\d+_)+)")


@functools.cache
def proofs() -> dict[str, dict[str, int]]:
    """For each rule, how many tests each file has for it."""
    found: dict[str, dict[str, int]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        name = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match = _NAME.match(node.name) if isinstance(node, ast.FunctionDef) else None
            for rule in match.group(1).upper().split("_")[:-1] if match else ():
                found.setdefault(rule, {}).setdefault(name, 0)
                found[rule][name] += 1
    return found


def page() -> str:
    """The page as it should be."""
    found = proofs()
    rows = []
    for rule, text in RULES.items():
        where = ", ".join(f"[{name.removeprefix('tests/')}](../{name}) ({count})" for name, count in sorted(found.get(rule, {}).items()))
        rows.append(f"| {rule} | {text} | {where} |\n")
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

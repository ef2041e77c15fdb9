"""``ocpp-sync call URL IDENTITY ACTION [PAYLOAD] [FIELD=VALUE …]``: one request as a charge point, and its response."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from ocpp_sync import CallError, CallTimeout, ConnectionClosed, HandshakeError, InvalidPayload, OcppClient, OcppError
from ocpp_sync.checks import Checks
from ocpp_sync.schemas import actions
from ocpp_sync.skeletons import skeleton
from ocpp_sync.validation import ValidationPolicy

from .connecting import (
    accept_requests,
    add_connection_arguments,
    boot_payload,
    client_from,
    connect,
    recorder_from,
    seconds,
    validation_from,
    wrong_arguments,
)
from .frames import FramePrinter
from .payloads import Given, read_payload

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
  ocpp-sync call ws://localhost:9220 CP1 Heartbeat
  ocpp-sync call ws://localhost:9220 CP1 --version 1.6 Authorize idTag=DEADBEEF
  ocpp-sync call ws://localhost:9220 CP1 BootNotification reason=PowerUp chargingStation.vendorName=X chargingStation.model=Y
  ocpp-sync call ws://localhost:9220 CP1 --version 1.6 StatusNotification '{"errorCode": "NoError"}' connectorId=1 status=Available
  ocpp-sync call ws://localhost:9220 CP1 NotifyEvent --skeleton > event.json
  ocpp-sync call ws://localhost:9220 CP1 NotifyEvent @event.json generatedAt=now
  ocpp-sync call ws://localhost:9220 CP1 Heartbeat --boot --listen     stay, and show what the CSMS asks
"""

_FIELDS = """\
PAYLOAD is a JSON object, @FILE, or - for the standard input. FIELD=VALUE sets a field in it, or in {}:
  connectorId=1 idTag=123          a number, true, false or JSON where the schema wants that, else text
  chargingStation.model=X          a field of an object
  'meterValue[0].timestamp=now'    a field of an array's first item, [] being a new one; now is the current time
  customData:='{"vendorId": "x"}'  JSON, whatever the schema wants"""

_STATUSES = """\
0  answered, or sent if it is a SEND      4  no answer in time
1  the output cannot be written           5  no connection, or the charge point was refused
2  wrong arguments                        6  the request or the response is invalid
3  answered with a CALLERROR              7  the link was lost"""

_STATUS: dict[type[OcppError], int] = {CallError: 3, CallTimeout: 4, HandshakeError: 5, InvalidPayload: 6, ConnectionClosed: 7}
_REFUSED = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add_connection_arguments(parser)
    parser.add_argument("action", metavar="ACTION", type=_text, help="what to send, for example Heartbeat")
    parser.add_argument("items", metavar="PAYLOAD|FIELD=VALUE", nargs="*", default=[], type=_text, help="see below; without any, {}")
    parser.add_argument("--boot", action="store_true", help="send a BootNotification first, which must be accepted")
    parser.add_argument("--boot-with", metavar="PAYLOAD", help="the same with this BootNotification: JSON, @FILE or -")
    stay = parser.add_mutually_exclusive_group()
    stay.add_argument("--listen", action="store_true", help="stay, show what the CSMS sends, and say yes to it, until Ctrl-C")
    stay.add_argument("--wait", metavar="SECONDS", type=seconds, help="the same for so long")
    parser.add_argument("--skeleton", action="store_true", help="send nothing, but print a payload to begin with")
    parser.add_argument("-v", "--verbose", action="store_true", help="show all frames on the standard error")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--pretty", action="store_true", help="print the response with indentation, as on a terminal")
    form.add_argument("--compact", action="store_true", help="print the response on a line, as into a file or a pipe")
    parser.add_argument_group("payload and fields", _FIELDS)
    parser.add_argument_group("exit status", _STATUSES)


def run(arguments: argparse.Namespace) -> int:
    """Run it."""
    if [arguments.boot_with, arguments.password_file, *arguments.items].count("-") > 1:
        wrong_arguments("only one of the arguments can be the standard input")
    try:
        given = Given.of(arguments.items)
        boot = None if arguments.boot_with is None else read_payload(arguments.boot_with)
        if arguments.skeleton:
            return _print_skeleton(arguments, given)
        if len(arguments.versions) == 1:
            # Before it connects, which is not without effect: a CSMS closes the link that this identity has already.
            _checked(arguments, arguments.versions[0], given, boot)
    except InvalidPayload as error:
        return _failed(error, arguments)
    except (OSError, ValueError) as error:
        wrong_arguments(str(error))
    with recorder_from(arguments) as recorder, client_from(arguments, recorder=recorder, reconnect=None) as client:
        try:
            return _converse(client, arguments, given, boot)
        except tuple(_STATUS) as error:
            return _failed(error, arguments)
        except ValueError as error:  # fields that do not go with the payload, of the version that was chosen
            wrong_arguments(str(error))


def _converse(client: OcppClient, arguments: argparse.Namespace, given: Given, boot: dict[str, Any] | None) -> int:
    stays = arguments.listen or arguments.wait is not None
    if arguments.verbose or stays:
        client.on("frame", FramePrinter(sys.stderr).show)
    accept_requests(client)
    connect(client, arguments)
    boot, payload = _checked(arguments, str(client.version), given, boot)
    try:
        if boot is not None and (status := client.call("BootNotification", boot).get("status")) != "Accepted":
            _say(f"{arguments.action} was not sent: the CSMS has answered the BootNotification with {status!r}")
            return _REFUSED
        if _is_send(str(client.version), arguments.action):
            client.send(arguments.action, payload)
        else:
            _print(client.call(arguments.action, payload), arguments)
    except InvalidPayload as error:
        _say(f"the response is invalid: {error}")
        return _STATUS[InvalidPayload]
    if stays and client.wait_closed(arguments.wait):
        _say("the link was lost")
        return _STATUS[ConnectionClosed]
    return 0


def _checked(
    arguments: argparse.Namespace, version: str, given: Given, boot: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """The BootNotification that goes first, or None, and the payload.

    Raises:
        InvalidPayload: One of them is refused.
        ValueError: A field does not go with the rest.
    """
    if boot is None and arguments.boot:
        boot = boot_payload(version)
    payload = given.build(version, arguments.action)
    policy = ValidationPolicy(validation_from(arguments), arguments.versions)
    checks = Checks("CS", policy, arguments.identity)
    for action, request in (("BootNotification", boot), (arguments.action, payload)):
        if request is not None and policy.mode("out", action) == "strict":  # else it is only logged, when it goes out
            checks.outgoing_request(version, action, request, is_send=_is_send(version, action))
    return boot, payload


def _is_send(version: str, action: str) -> bool:
    entry = actions(version).get(action)
    return entry is not None and entry.is_send


def _failed(error: OcppError, arguments: argparse.Namespace) -> int:
    if isinstance(error, CallError):
        details = f" {json.dumps(error.details)}" if error.details else ""
        _say(f"answered with the CALLERROR {CallError(error.code, error.description)}{details}")
    else:
        _say(str(error))
    if isinstance(error, InvalidPayload) and error.keyword != "action":
        print(f"More: ocpp-sync schema {error.action} --version {arguments.versions[0]}", file=sys.stderr)
    return next(status for kind, status in _STATUS.items() if isinstance(error, kind))


def _print_skeleton(arguments: argparse.Namespace, given: Given) -> int:
    version = arguments.versions[0]
    _print(given.build(version, arguments.action, skeleton(arguments.action, version=version)), arguments)
    return 0


def _print(payload: dict[str, Any], arguments: argparse.Namespace) -> None:
    indent = 2 if arguments.pretty or (sys.stdout.isatty() and not arguments.compact) else None
    text = json.dumps(payload, ensure_ascii=False, indent=indent)
    if not _is_printable(text):
        text = json.dumps(payload, indent=indent)
    print(text, flush=True)


def _is_printable(text: str) -> bool:
    """Whether the output can show it, and no terminal is commanded by it."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return all(line.isprintable() for line in text.split("\n"))


def _say(message: str) -> None:
    print(f"ocpp-sync: {message}", file=sys.stderr)


def _text(argument: str) -> str:
    try:
        argument.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError(f"{argument!r} is no UTF-8") from None
    return argument

"""The arguments of commands that connect as a charge point, and the client that is made of them."""

from __future__ import annotations

import argparse
import getpass
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ocpp_sync import OcppClient, skeleton
from ocpp_sync.handshake import check_headers, check_identity, connection_url, hex_password
from ocpp_sync.schemas import VERSIONS
from ocpp_sync.validation import ValidationPolicy

if TYPE_CHECKING:
    from ocpp_sync.recording import Recorder

__all__ = [
    "accept_requests",
    "add_connection_arguments",
    "add_connection_options",
    "boot_payload",
    "client_from",
    "connect",
    "key_password_from",
    "password_from",
    "recorder_from",
    "seconds",
    "wrong_arguments",
]

_DEFAULT_VERSION = "2.0.1"
_PASSWORD, _KEY_PASSWORD = "OCPP_PASSWORD", "OCPP_KEY_PASSWORD"  # names of environment variables


def add_connection_arguments(parser: argparse.ArgumentParser) -> None:
    """Add URL, IDENTITY, and the options of :func:`add_connection_options`."""
    parser.add_argument("url", metavar="URL", type=_endpoint, help="the CSMS, such as ws://localhost:9220; the identity is added to it")
    parser.add_argument("identity", metavar="IDENTITY", type=_identity, help="the identity of the charge point")
    add_connection_options(parser)


def add_connection_options(
    parser: argparse.ArgumentParser, *, version: str | None = _DEFAULT_VERSION, validation: str = "strict (the default), warn or off"
) -> None:
    """Add a group of options: version, credentials, TLS, time-out, validation, headers, proxy, recording.

    Args:
        parser: Where to.
        version: The default; None is that of a recording, and leaves ``versions`` None.
        validation: What the help says about the modes.
    """
    group = parser.add_argument_group("connection")
    group.add_argument(
        "--version",
        dest="versions",
        metavar="VERSION",
        type=_versions,
        default=None if version is None else [version],
        help=f"{', '.join(VERSIONS)}, or several in order of preference: 2.0.1,1.6 (default: {version or 'that of the recording'})",
    )
    secret = group.add_mutually_exclusive_group()
    secret.add_argument(
        "--password-file", metavar="FILE", help=f"the password is its first line; -: ask for it; without one, that of {_PASSWORD}, if set"
    )
    secret.add_argument("--password", help="the password; everybody on this machine can read it in the list of processes, so rather a file")
    group.add_argument("--hex-password", action="store_true", help="the password is a 1.6 AuthorizationKey, in hexadecimal digits")
    group.add_argument("--cafile", metavar="FILE", help="the CAs that may sign the CSMS's certificate (default: the system's)")
    group.add_argument("--certfile", metavar="FILE", help="the certificate of the charge point and its chain")
    group.add_argument("--keyfile", metavar="FILE", help=f"its private key, if it is not in there too; {_KEY_PASSWORD} has its password")
    group.add_argument(
        "--timeout", metavar="SECONDS", type=seconds, default=30.0, help="for the connection, and for each answer (default: 30)"
    )
    group.add_argument(
        "--validation",
        metavar="[WHAT=]MODE",
        type=_validation,
        action="append",
        help=f"{validation}; WHAT is in, out, an action, or both, as in in:MeterValues=warn; may be repeated",
    )
    group.add_argument("--header", metavar="'NAME: VALUE'", type=_header, action="append", help="a further HTTP header, may be repeated")
    group.add_argument("--proxy", metavar="URL", help="go through this HTTP proxy: http://[user:password@]host[:port]")
    group.add_argument("--record", metavar="FILE", help="append each frame to this file, as JSON on a line, secrets masked")


def client_from(arguments: argparse.Namespace, *, recorder: Recorder | None = None, **options: Any) -> OcppClient:
    """The client that the arguments describe, not connected yet; wrong ones end the program with status 2.

    Args:
        arguments: What :func:`add_connection_arguments` has led to.
        recorder: Where its frames are recorded; None is nowhere.
        options: For :class:`~ocpp_sync.OcppClient`, ``identity`` and ``version`` too, instead of what the arguments say.
    """
    given = {
        "identity": arguments.identity,
        "version": arguments.versions,
        "cafile": arguments.cafile,
        "certfile": arguments.certfile,
        "keyfile": arguments.keyfile,
        "key_password": key_password_from(arguments),
        "call_timeout": arguments.timeout,
        "validation": validation_from(arguments),
        "proxy": arguments.proxy,
    }
    if "password" not in options:
        given["password"] = password_from(arguments)
    try:
        client = OcppClient(**{**given, **options})
    except ValueError as error:
        wrong_arguments(str(error))
    if recorder is not None:
        recorder.attach(client)
    return client


def connect(client: OcppClient, arguments: argparse.Namespace, **options: Any) -> None:
    """Connect it; arguments that are found to be wrong here, such as certificate files, end the program with status 2.

    Args:
        client: The client.
        arguments: Where to, with which headers, and how long it may take.
        options: For :meth:`~ocpp_sync.OcppClient.connect`.

    Raises:
        HandshakeError: No link could be made.
        ConnectionClosed: It was closed meanwhile.
    """
    try:
        client.connect(arguments.url, dict(arguments.header or ()), timeout=arguments.timeout, **options)
    except ValueError as error:
        wrong_arguments(str(error))


@contextmanager
def recorder_from(arguments: argparse.Namespace) -> Iterator[Recorder | None]:
    """The recorder that ``--record`` asks for, closed at the end; None if it does not. A wrong file ends the program with status 2."""
    if arguments.record is None:
        yield None
        return
    from ocpp_sync.recording import Recorder

    try:
        recorder = Recorder(arguments.record)
    except OSError as error:
        wrong_arguments(f"--record: {error}")
    with recorder:
        yield recorder


def validation_from(arguments: argparse.Namespace) -> dict[str, str]:
    """``--validation`` as OcppClient takes it; what is wrong ends the program with status 2."""
    validation = dict(arguments.validation or ())
    try:
        ValidationPolicy(validation, arguments.versions)
    except ValueError as error:
        wrong_arguments(f"--{error}")
    return validation


def boot_payload(version: str) -> dict[str, Any]:
    """The BootNotification of a tool."""
    if version == "1.6":
        return {"chargePointVendor": "ocpp-sync", "chargePointModel": "ocpp-sync"}
    return {"reason": "PowerUp", "chargingStation": {"vendorName": "ocpp-sync", "model": "ocpp-sync"}}


def accept_requests(client: OcppClient) -> None:
    """Answer every request that has no handler of its own with the shortest response that says yes; nothing is done."""

    def accept(action: str, request: dict[str, Any]) -> dict[str, Any]:
        return skeleton(action, version=client.version or client.actions.version, kind="response")

    client.on("*", accept)


def wrong_arguments(message: str) -> NoReturn:
    """End the program with status 2, as the parser does."""
    print(f"ocpp-sync: {message}", file=sys.stderr)
    raise SystemExit(2)


def seconds(text: str) -> float:
    """For ``type=`` of an argument: a duration, above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return number


def _endpoint(text: str) -> str:
    try:
        connection_url(text, "CP1")
    except ValueError as error:
        scheme, separator, rest = text.rpartition("://")
        if separator and scheme.lower() not in ("http", "https"):
            raise argparse.ArgumentTypeError(str(error)) from None
        instead = f"{'wss' if scheme.lower() == 'https' else 'ws'}://{rest}"
        raise argparse.ArgumentTypeError(f"{error}{_is_url(instead)}") from None
    return text


def _is_url(url: str) -> str:
    try:
        connection_url(url, "CP1")
    except ValueError:
        return ""
    return f"; did you mean {url}?"


def _identity(text: str) -> str:
    try:
        check_identity(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _versions(text: str) -> list[str]:
    versions = [version.strip().lower().removeprefix("ocpp") for version in text.split(",")]
    for version in versions:
        if version not in VERSIONS:
            raise argparse.ArgumentTypeError(f"{version!r} is none of {', '.join(VERSIONS)}, nor several of them with commas between")
    return list(dict.fromkeys(versions))


def _validation(text: str) -> tuple[str, str]:
    what, separator, mode = text.rpartition("=")
    return (what, mode) if separator else ("*", text)


def _header(text: str) -> tuple[str, str]:
    name, separator, value = text.partition(":")
    if not separator:
        raise argparse.ArgumentTypeError("a header is NAME: VALUE, with a colon")
    header = name.strip(), value.strip()
    try:
        check_headers(dict([header]), has_password=False)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return header


def key_password_from(arguments: argparse.Namespace) -> str | None:
    """The password of the private key, which the environment gives; None if there is no certificate, or no password."""
    return None if arguments.certfile is None else os.environ.get(_KEY_PASSWORD)


def password_from(arguments: argparse.Namespace) -> str | bytes | None:
    """The password that the arguments give, or the environment; wrong ones end the program with status 2."""
    password = arguments.password
    if arguments.password_file is not None:
        password = _read_password(arguments.password_file)
    elif password is None:
        password = os.environ.get(_PASSWORD)
    if password is None:
        if arguments.hex_password:
            wrong_arguments(f"--hex-password needs a password: --password-file, or {_PASSWORD} in the environment")
        return None
    try:
        return hex_password(password) if arguments.hex_password else _raw(password)
    except ValueError as error:
        wrong_arguments(f"--hex-password: {error}")


def _raw(password: str) -> str | bytes:
    # An argument or a variable that is no UTF-8 has its bytes as surrogates.
    return os.fsencode(password) if re.search("[\ud800-\udfff]", password) else password


def _read_password(file: str) -> str:
    if file == "-" and sys.stdin.isatty():
        return getpass.getpass("Password: ")
    try:
        data = sys.stdin.buffer.readline() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        wrong_arguments(f"--password-file: {error}")
    return os.fsdecode(data.split(b"\n", 1)[0].rstrip(b"\r"))

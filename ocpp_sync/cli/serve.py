"""``ocpp-sync serve``: a CSMS for the bench, which answers every charge point and shows what they say."""

from __future__ import annotations

import argparse
import errno
import re
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ocpp_sync import OcppServer
from ocpp_sync.csms import Csms, StateError
from ocpp_sync.errors import CertificateError
from ocpp_sync.schemas import VERSIONS

from .connecting import wrong_arguments
from .live import stream_writer_to, writer_to
from .reporter import Reporter

if TYPE_CHECKING:
    from ocpp_sync.prometheus import MetricsServer

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES = """\
  ocpp-sync serve                                        at ws://localhost:9220, for everybody
  ocpp-sync serve --port 8080 --versions 1.6 --tokens DEADBEEF,CAFE0001
  ocpp-sync serve --tls tls --passwords passwords.txt    with what ocpp-sync certs and passwd have made
  ocpp-sync serve --state bench.sqlite3 --repl           a prompt: call("Reset", type="Soft")
  ocpp-sync serve --json | jq 'select(.kind == "CALLERROR")'
"""

_PORT = 9220
_INTERVAL = 300
_LOOK_INTERVAL = 0.5  # seconds
_MAX_TOKEN = 255  # characters; of an idToken of 2.1
_LOOKS_LIKE_A_FILE = re.compile(r"/|\.\w{1,5}$")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    where = parser.add_argument_group("where it listens")
    where.add_argument("--port", type=_port, default=_PORT, help="0 picks a free one (default: %(default)s)")
    where.add_argument("--host", help="an address or name of this machine (default: all interfaces, IPv4 and IPv6)")
    where.add_argument("--tls", metavar="DIR", type=Path, help="with TLS: the folder that ocpp-sync certs DIR has made")
    where.add_argument("--client-ca", metavar="FILE", help="each charge point must have a certificate of these CAs, such as DIR/ca.pem")
    who = parser.add_argument_group("who may what")
    who.add_argument("--versions", type=_versions, default=list(reversed(VERSIONS)), help="such as 1.6,2.0.1 (default: all)")
    who.add_argument("--passwords", metavar="FILE", help="who may connect, as ocpp-sync passwd writes it (default: all)")
    who.add_argument("--tokens", metavar="FILE|TOKEN,…", help="who may charge; a file has one on a line (default: all)")
    who.add_argument("--heartbeat-interval", metavar="SECONDS", type=_interval, default=_INTERVAL, help="(default: %(default)s)")
    who.add_argument(
        "--validation", choices=("strict", "warn", "off"), default="strict", help="what becomes of invalid payloads (default: %(default)s)"
    )
    shown = parser.add_argument_group("what it shows and keeps")
    shown.add_argument("--json", action="store_true", help="a JSON object a line")
    shown.add_argument("--quiet", action="store_true", help="nothing but the start, problems and the summary")
    shown.add_argument("--no-redact", action="store_true", help="show passwords and keys, which are masked otherwise")
    shown.add_argument("--record", metavar="FILE", help="append each frame to this file, for ocpp-sync show and replay")
    shown.add_argument("--state", metavar="FILE", help="keep charge points, their configuration and transactions in this SQLite file")
    shown.add_argument("--metrics", metavar="PORT", type=_port, help="serve the counters for Prometheus at this port of localhost")
    shown.add_argument("--repl", action="store_true", help="a Python prompt, to call charge points while frames scroll by")
    shown.add_argument("--no-ipython", action="store_true", help="with --repl: Python's own prompt, even if IPython is installed")


def run(arguments: argparse.Namespace) -> int:
    """Run it until Ctrl-C, SIGINT or SIGTERM, or the end of the prompt."""
    with ExitStack() as stack:
        try:
            server, csms, reporter, metrics = _open(arguments, stack)
        except (_Unusable, StateError, CertificateError) as error:
            print(f"ocpp-sync: {error}", file=sys.stderr)
            return 1
        status = 0
        try:
            _announce(arguments, server, reporter, metrics)
            if arguments.repl:
                from .prompt_names import BANNER, prompt_names
                from .repl import interact

                status = interact(prompt_names(server, csms, reporter.frames), BANNER, ipython=not arguments.no_ipython)
            else:
                while not reporter.output.failed.wait(_LOOK_INTERVAL):
                    pass  # a signal that comes just before the wait does not end it
        except KeyboardInterrupt:
            pass
        server.close()
        csms.close()
        reporter.finish()
        if reporter.output.error is not None:
            raise reporter.output.error
    return status


class _Unusable(Exception):
    """Something that the user has named cannot be used; the text says what, and what to do."""


def _open(arguments: argparse.Namespace, stack: ExitStack) -> tuple[OcppServer, Csms, Reporter, MetricsServer | None]:
    """Open everything, and listen."""
    files = _tls_files(arguments)
    server = OcppServer(versions=arguments.versions, validation=arguments.validation, redact=not arguments.no_redact)
    stack.callback(server.close)
    if arguments.passwords is not None:
        server.on("authorization", _passwords(arguments.passwords))
    tokens = None if arguments.tokens is None else _tokens(arguments.tokens)
    csms = stack.enter_context(Csms(server, interval=arguments.heartbeat_interval, tokens=tokens, state=arguments.state))
    if arguments.record is not None:
        from ocpp_sync.recording import Recorder

        try:
            recorder = stack.enter_context(Recorder(arguments.record, redact=not arguments.no_redact))
        except OSError as error:
            raise _Unusable(f"--record {arguments.record}: {error.strerror}") from error
        recorder.attach(server)
    out, write = _output(arguments)
    reporter = Reporter(server, csms, out, write, as_json=arguments.json, quiet=arguments.quiet)
    stack.callback(reporter.output.close, 0)
    stack.enter_context(reporter.taking_the_log())
    _listen(arguments, server, files)
    metrics = None if arguments.metrics is None else stack.enter_context(_metrics(server, arguments.metrics))
    return server, csms, reporter, metrics


def _output(arguments: argparse.Namespace) -> tuple[TextIO, Callable[[str], None]]:
    if not arguments.repl:
        return sys.stdout, writer_to(sys.stdout)
    from .prompt import CurrentOutput

    # A prompt puts itself before the standard output, so that what is printed does not tear what is typed.
    out: Any = CurrentOutput()
    return out, stream_writer_to(out)


def _tls_files(arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.tls is None:
        if arguments.client_ca is not None:
            wrong_arguments("--client-ca needs --tls DIR")
        return {}
    for name in ("server.pem", "server.key"):
        if not (arguments.tls / name).is_file():
            raise _Unusable(f"--tls {arguments.tls}: there is no {name} in it; make it with: ocpp-sync certs {arguments.tls}")
    return {"certfile": arguments.tls / "server.pem", "keyfile": arguments.tls / "server.key", "client_ca": arguments.client_ca}


def _passwords(file: str) -> Any:
    from ocpp_sync.passwords import PasswordFile

    try:
        return PasswordFile(file)
    except FileNotFoundError:
        raise _Unusable(f"--passwords {file}: there is no such file; make it with: ocpp-sync passwd {file} IDENTITY") from None
    except OSError as error:
        raise _Unusable(f"--passwords {file}: {error.strerror}") from error
    except ValueError as error:  # its text names the file
        raise _Unusable(f"--passwords: {error}") from error


def _tokens(given: str) -> list[str]:
    """The tokens of a file, or of a list with commas."""
    if not given.strip():
        raise _Unusable("--tokens: there is no token; a list has commas between: DEADBEEF,CAFE0001")
    path = Path(given)
    try:
        is_file = path.exists()
    except OSError:  # no file has such a name
        is_file = False
    if not is_file:
        tokens = [token.strip() for token in given.split(",") if token.strip()]
    else:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise _Unusable(f"--tokens {given}: {getattr(error, 'strerror', None) or 'it is no text in UTF-8'}") from error
        tokens = [token for line in lines if (token := line.partition("#")[0].strip())]
    if not is_file and any(_LOOKS_LIKE_A_FILE.search(token) for token in tokens):
        raise _Unusable(f"--tokens {given}: there is no such file; a list of tokens has commas between: DEADBEEF,CAFE0001")
    for token in tokens:
        if len(token) > _MAX_TOKEN:
            raise _Unusable(f"--tokens: {token[:40]}… is too long for a token")
    return tokens


def _metrics(server: OcppServer, port: int) -> MetricsServer:
    try:
        from ocpp_sync.prometheus import MetricsServer
    except ImportError:
        raise _Unusable("--metrics needs the package 'prometheus_client': pip install 'ocpp-sync[prometheus]'") from None
    try:
        return MetricsServer(server, port=port)
    except OSError as error:
        raise _Unusable(f"--metrics {port}: {error.strerror}") from error


def _listen(arguments: argparse.Namespace, server: OcppServer, files: dict[str, Any]) -> None:
    host, port = arguments.host, arguments.port
    try:
        server.listen(port, host, **files)
    except socket.gaierror as error:
        raise _Unusable(f"--host {host}: {error.strerror}") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise _Unusable(f"port {port} is taken: something listens there already; --port 0 picks a free one") from error
        if error.errno == errno.EADDRNOTAVAIL:
            raise _Unusable(f"--host {host}: this machine has no such address") from error
        raise _Unusable(f"it cannot listen at port {port}: {error.strerror}") from error


def _announce(arguments: argparse.Namespace, server: OcppServer, reporter: Reporter, metrics: MetricsServer | None) -> None:
    """Where it listens, and what to type for a charge point."""
    versions = arguments.versions
    listed = f"{', '.join(versions[:-1])} and {versions[-1]}" if len(versions) > 1 else versions[0]
    lines = [f"A CSMS listens at {server.url} for OCPP {listed}."]
    trust = "" if arguments.tls is None else f" --cafile {arguments.tls / 'ca.pem'}"
    lines.append(f"A charge point for it:  ocpp-sync simulate {server.url} CP1{trust}")
    address = _own_address() if arguments.host is None else None
    if address is not None:
        named = "" if arguments.tls is None else ", if the certificate names that address"
        lines.append(f"From other machines:    {server.url.replace('127.0.0.1', address)}{named}")
    if metrics is not None:
        lines.append(f"For Prometheus:         {metrics.url}")
    reporter.say("listening", "\n".join(lines), url=server.url, port=server.port, versions=versions)


def _own_address() -> str | None:
    """The address by which this machine is reached from others, most probably; None if it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))  # for documentation; nothing is sent
        except OSError:
            return None
        address: str = sock.getsockname()[0]
    return None if address.startswith("127.") else address


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a number from 0 to 65535")
    return int(text)


def _interval(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 2**31:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of seconds above 0")
    return int(text)


def _versions(text: str) -> Sequence[str]:
    versions = [version.strip() for version in text.split(",")]
    for version in versions:
        if version not in VERSIONS:
            raise argparse.ArgumentTypeError(f"{version!r} is none of {', '.join(VERSIONS)}")
    return versions

"""What ``@pytest.mark.ocpp_server(…)`` says."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from ..server import OcppServer
from .possible import did_you_mean
from .server_fixture import OcppServerFixture

__all__ = ["server_options"]

_NOT_OPTIONS = {"self", "options", "certificates", "redact"}  # "tls" stands for the certificates


def server_options(marks: Iterable[tuple[tuple[Any, ...], Mapping[str, Any]]]) -> dict[str, Any]:
    """The options of a server.

    Args:
        marks: The arguments of each marker, the one nearest to the test first, which counts.

    Raises:
        ValueError: One of them is no option; the text says what may have been meant.
    """
    options: dict[str, Any] = {}
    for positional, named in marks:
        if positional:
            raise ValueError(f'the marker takes named options only, for example versions=["1.6"], not {positional[0]!r}')
        options = {**named, **options}
    known = [*_parameters(OcppServerFixture), *_parameters(OcppServer), "tls"]
    for name in options:
        if name not in known:
            hint = did_you_mean(name, known) or f"; there are {', '.join(dict.fromkeys(known))}"
            raise ValueError(f"the marker has no option {name!r}{hint}")
    if options.get("client_certificates") and not options.get("tls"):
        raise ValueError("client_certificates needs tls=True")
    return options


def _parameters(of: type) -> list[str]:
    return [name for name in inspect.signature(of.__init__).parameters if name not in _NOT_OPTIONS]  # type: ignore[misc]

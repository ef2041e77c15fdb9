"""Imports go one way, and the protocol core knows no socket, thread or clock."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ocpp_sync

PACKAGE = Path(ocpp_sync.__file__).parent

# What each module of the core may import from the package; each stands above those that it names.
BELOW = {
    "errors": set[str](),
    "decimals": set[str](),
    "messages": {"decimals", "errors"},
    "protocol": {"errors", "messages"},
    "schemas": {"errors"},
    "acceptance": {"schemas"},
    "counterparts": {"schemas"},
    "hints": {"counterparts", "decimals", "schemas"},
    "validation": {"acceptance", "decimals", "errors", "hints", "schemas"},
    "checks": {"acceptance", "errors", "schemas", "validation"},
}
OUTSIDE = {"socket", "threading", "time", "ssl", "select", "http"}
LATE = {"ssl", "jsonschema", "sqlite3", "http.server", "asyncio", "simple_websocket", "websocket"}


def imported(source: str, package: str) -> Iterator[str]:
    """The full names of all modules that a source imports, anywhere in it; perhaps of what is in them too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            module = ".".join([*parents, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def sources(module: str) -> dict[str, str]:
    """The source files of a module or subpackage, by the package that they are in."""
    single = PACKAGE / f"{module}.py"
    files = [single] if single.exists() else sorted((PACKAGE / module).rglob("*.py"))
    assert files
    return {".".join(path.parent.relative_to(PACKAGE.parent).parts): path.read_text(encoding="utf-8") for path in files}


def imports_of(module: str) -> set[str]:
    return {name for package, source in sources(module).items() for name in imported(source, package)}


def inside(names: set[str]) -> set[str]:
    """The modules of the package among the names; ``""`` is the package itself."""
    return {name.partition(".")[2].partition(".")[0] for name in names if name.partition(".")[0] == "ocpp_sync"}


@pytest.mark.parametrize("module", BELOW)
def test_imports_go_one_way(module: str) -> None:
    assert inside(imports_of(module)) <= BELOW[module] | {module}


def test_the_one_way_is_no_circle() -> None:
    seen: set[str] = set()
    for module, below in BELOW.items():
        assert below <= seen
        seen.add(module)


@pytest.mark.parametrize("module", BELOW)
def test_the_core_knows_no_socket_thread_or_clock(module: str) -> None:
    assert not {name.partition(".")[0] for name in imports_of(module)} & OUTSIDE


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import time", {"time"}),
        ("import json, http.client as client", {"json", "http.client"}),
        ("def now():\n    from time import monotonic", {"time.monotonic"}),
        ("if TYPE_CHECKING:\n    from ssl import SSLContext", {"ssl.SSLContext"}),
        ("from .connection import Link", {"ocpp_sync.schemas.connection.Link"}),
        ("from . import v16", {"ocpp_sync.schemas.v16"}),
        ("from .. import connection", {"ocpp_sync.connection"}),
        ("from ..transport.link import Link", {"ocpp_sync.transport.link.Link"}),
        ("import ocpp_sync.transport", {"ocpp_sync.transport"}),
        ("import ocpp_sync", {"ocpp_sync"}),
    ],
)
def test_every_way_to_import_is_seen(source: str, names: set[str]) -> None:
    assert set(imported(source, "ocpp_sync.schemas")) == names


def test_what_the_core_imports_is_seen() -> None:
    assert {"errors", "messages"} <= inside(imports_of("protocol"))
    assert {"errors", "schemas"} <= inside(imports_of("validation"))
    assert inside({"ocpp_sync", "ocpp_sync.transport.link.Link", "ocpp_synchronous.x", "json"}) == {"", "transport"}


def new_modules(statement: str) -> set[str]:
    """The modules that a fresh interpreter has after a statement and had not before."""
    code = f"import sys; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], check=True, cwd=PACKAGE.parent, timeout=30, capture_output=True, text=True)
    return set(done.stdout.split())


def test_import_of_the_package_loads_nothing_heavy() -> None:
    loaded = new_modules("import ocpp_sync")
    assert "ocpp_sync" in loaded
    assert not loaded & LATE


def test_import_of_the_core_loads_nothing_heavy() -> None:
    loaded = new_modules("import ocpp_sync.protocol, ocpp_sync.checks")
    assert {"ocpp_sync.messages", "ocpp_sync.schemas"} <= loaded
    assert not loaded & LATE

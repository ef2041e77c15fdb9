"""What mypy and pyright make of calls and handlers: ``typing/passes.py`` has no errors, ``typing/fails.py`` those that it names."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ocpp_sync import OcppClient, skeleton
from ocpp_sync.schemas import actions
from tools.generated import ROOT
from tools.make_types import module_name

from .support import VERSIONS

FIXTURES = Path(__file__).parent / "typing"
_TIMEOUT = 300  # seconds, of which it needs 3

pytestmark = [
    pytest.mark.timeout(_TIMEOUT),
    pytest.mark.skipif(not hasattr(OcppClient, "__class_getitem__"), reason="OcppClient is not generic"),
]

Errors = dict[int, str]


def run(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def mypy(path: Path) -> Errors:
    """The first error of each line."""
    pytest.importorskip("mypy")
    text = run("mypy", "--strict", "--no-pretty", "--no-error-summary", str(path))
    found = re.findall(rf"^(?:.*/)?{re.escape(path.name)}:(\d+): error: (.*)$", text, re.MULTILINE)
    return {int(line): message for line, message in reversed(found)}


def pyright(path: Path) -> Errors:
    """The same of the other type checker."""
    pytest.importorskip("pyright")
    found = json.loads(run("pyright", "--outputjson", "--pythonpath", sys.executable, str(path)))["generalDiagnostics"]
    errors = [entry for entry in found if entry["severity"] == "error"]
    return {entry["range"]["start"]["line"] + 1: entry["message"] for entry in reversed(errors)}


each_checker = pytest.mark.parametrize("check", [mypy, pyright])


@each_checker
def test_what_is_right_passes(check: Callable[[Path], Errors]) -> None:
    assert check(FIXTURES / "passes.py") == {}


@each_checker
def test_what_is_wrong_is_an_error_at_its_line(check: Callable[[Path], Errors]) -> None:
    path = FIXTURES / "fails.py"
    marked = {number for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if "# error: " in line}
    errors = check(path)
    assert len(marked) > 40
    assert sorted(errors) == sorted(marked), errors


@each_checker
def test_every_skeleton_is_of_its_type(check: Callable[[Path], Errors], tmp_path: Path) -> None:
    lines = ["from ocpp_sync.types import v16, v21, v201"]
    for version in VERSIONS:
        for action in actions(version).values():
            for kind in ("request", "response") if action.response is not None else ("request",):
                for full in (False, True):
                    payload = skeleton(action.name, version=version, kind=kind, full=full)
                    lines.append(f"x{len(lines)}: {module_name(version)}.{action.name}{kind.capitalize()} = {payload!r}")
    assert len(lines) == 1 + 2 * 387
    path = tmp_path / "skeletons.py"
    path.write_text("\n".join(lines), encoding="utf-8")
    assert check(path) == {}


@each_checker
def test_an_error_is_found_at_all(check: Callable[[Path], Errors], tmp_path: Path) -> None:
    path = tmp_path / "wrong.py"
    path.write_text("from ocpp_sync.types import v16\n\nx: v16.ResetRequest = {'type': 'Hardly'}\n", encoding="utf-8")
    assert list(check(path)) == [3]

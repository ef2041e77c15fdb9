"""The types of the messages: current, complete, and nothing that a program pays for."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_type_hints

import pytest

from ocpp_sync import OcppClient, OcppClientConnection
from ocpp_sync.fields import CUSTOM_DATA, fields_of, named_schemas
from ocpp_sync.schemas import actions
from tools.generated import ROOT, stale, write
from tools.make_calls import CALL_OPTIONS, calls_files
from tools.make_messages import messages_files
from tools.make_types import module_name, types_files

from .support import VERSIONS
from .test_architecture import new_modules

every_version = pytest.mark.parametrize("version", VERSIONS)


def types_of(version: str) -> ModuleType:
    return importlib.import_module(f"ocpp_sync.types.{module_name(version)}")


@pytest.mark.parametrize("make", [types_files, calls_files, messages_files])
def test_the_files_are_current(make: Callable[[], dict[Path, str]]) -> None:
    assert stale(make()) == [], "run python -m tools"


def test_no_file_is_left_over() -> None:
    made = {*types_files(), *calls_files()}
    assert set((ROOT / "ocpp_sync" / "types").glob("*.py")) - made == {ROOT / "ocpp_sync" / "types" / "handlers.py"}
    assert set((ROOT / "docs" / "messages").glob("*.md")) <= messages_files().keys()


def test_a_changed_file_is_stale_and_is_written_again(tmp_path: Path) -> None:
    files = {tmp_path / "same": "x\n", tmp_path / "changed": "y\n", tmp_path / "new" / "missing": "z\n"}
    write(files)
    (tmp_path / "changed").write_text("y")
    (tmp_path / "new" / "missing").unlink()
    assert stale(files) == [tmp_path / "changed", tmp_path / "new" / "missing"]
    write(files)
    assert stale(files) == []


@every_version
def test_every_message_and_data_type_is_there(version: str) -> None:
    module = types_of(version)
    for name, schema in named_schemas(version).items():
        found = getattr(module, name)
        if "enum" in schema:
            assert list(get_args(found)) == schema["enum"]
        elif name == CUSTOM_DATA:
            assert found == dict[str, Any]
        else:
            assert set(found.__annotations__) == set(schema.get("properties", ()))
            assert found.__doc__


@every_version
@pytest.mark.skipif(sys.version_info < (3, 11), reason="the annotations name NotRequired, which is new in 3.11")
def test_the_annotations_say_what_the_schemas_say(version: str) -> None:
    module = types_of(version)
    for name in named_schemas(version):
        if not hasattr(getattr(module, name), "__annotations__") or name == CUSTOM_DATA:
            continue
        hints = get_type_hints(getattr(module, name), include_extras=True)
        for field in fields_of(version, name):
            hint = hints[field.name]
            assert ("NotRequired" in str(hint)) is not field.required
            hint = hint if field.required else get_args(hint)[0]
            item = get_args(hint)[0] if field.is_array else hint
            basic: dict[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool, "any": Any}
            assert item == basic.get(field.type, getattr(module, field.type, None))


def test_limits_are_in_the_docstrings_of_the_fields() -> None:
    text = (ROOT / "ocpp_sync" / "types" / "v201.py").read_text(encoding="utf-8")
    assert '    vendorName: str\n    """At most 50 characters."""\n' in text
    assert '    unit: NotRequired[str]\n    """At most 20 characters; default "Wh"."""\n' in text
    assert "    transactionInfo: TransactionType\n" in text


def test_they_need_nothing_but_the_standard_library() -> None:
    statement = "import ocpp_sync.types.v16, ocpp_sync.types.v201, ocpp_sync.types.v21"
    foreign = {name.partition(".")[0] for name in new_modules(statement)} - sys.stdlib_module_names
    assert foreign == {"ocpp_sync"}


def test_nothing_imports_them_unasked() -> None:
    loaded = new_modules("import ocpp_sync; ocpp_sync.OcppClient('CP1').close(); ocpp_sync.OcppServer().close()")
    assert "ocpp_sync.client" in loaded
    assert not {name for name in loaded if name.startswith("ocpp_sync.types") or name == "typing_extensions"}


def test_the_command_finds_nothing_to_do() -> None:
    command = [sys.executable, "-m", "tools", "--check"]
    assert subprocess.run(command, cwd=ROOT, timeout=60, check=False).returncode == 0


# --- Calls


@every_version
def test_every_overload_can_be_imported_and_is_one_of_an_action(version: str) -> None:
    module = importlib.import_module(f"ocpp_sync.types.calls_{module_name(version)}")
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    called = re.findall(r'action: Literal\["(\w+)"\]', source)
    both = [action.name for action in actions(version).values() if action.sent_by == "both"]
    assert sorted(called) == sorted([*actions(version), *both])
    handled = re.findall(r'name: Literal\["(\w+)"\]\n? *\) -> Register', source)
    assert sorted(handled) == sorted([*actions(version), *both])


def parameters(function: Callable[..., Any]) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name != "self"]


def names(declarations: list[str]) -> list[str]:
    return [declaration.partition(":")[0] for declaration in declarations]


def test_the_options_of_a_call_are_those_of_the_method() -> None:
    assert parameters(OcppClient.call) == ["action", "payload", *names(CALL_OPTIONS["CS"])]
    assert parameters(OcppClientConnection.call) == ["action", "payload", *names(CALL_OPTIONS["CSMS"])]


def test_the_options_of_a_client_are_those_of_its_class() -> None:
    stub = ast.parse((ROOT / "ocpp_sync" / "typed.pyi").read_text(encoding="utf-8"))
    options = next(node for node in stub.body if isinstance(node, ast.ClassDef) and node.name == "ClientOptions")
    declared = [node.target.id for node in options.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)]
    assert ["identity", "version", *declared] == parameters(OcppClient)


# --- Pages


@every_version
def test_every_link_of_a_page_leads_to_a_heading(version: str) -> None:
    text = (ROOT / "docs" / "messages" / f"{module_name(version)}.md").read_text(encoding="utf-8")
    headings = [heading.lower() for heading in re.findall(r"^##+ (\w+)$", text, re.MULTILINE)]
    assert len(headings) == len(set(headings))
    assert set(re.findall(r"\(#(\w+)\)", text)) <= set(headings)
    index = (ROOT / "docs" / "messages.md").read_text(encoding="utf-8")
    linked = re.findall(rf"messages/{module_name(version)}\.md#(\w+)", index)
    assert sorted(linked) == sorted(action.lower() for action in actions(version))
    assert set(linked) <= set(headings)

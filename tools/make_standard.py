"""``docs/variables.md`` with a page for each version under it, and ``docs/enumerations.md``."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from ocpp_sync.descriptions import describe
from ocpp_sync.enumerations import compare_enumeration
from ocpp_sync.fields import named_schemas
from ocpp_sync.schemas import VERSIONS
from ocpp_sync.standard import ConfigurationKey, Variable, configuration_keys, variables

from .generated import ROOT
from .make_types import module_name

__all__ = ["standard_files"]

_DOCS = ROOT / "docs"
_MADE = "<!-- Made by python -m tools; do not edit. -->\n"
_SOURCE = """The names and what is said of them are those of the OCPP standard itself and its appendices; a cell is empty where the standard
leaves it open or says different things in different places."""

_INDEX = f"""{_MADE}
# Configuration keys and variables

What the standard names for the configuration of a charging station:

- OCPP 1.6: [configuration keys](variables/v16.md), for GetConfiguration and ChangeConfiguration
- OCPP 2.0.1: [variables of the device model](variables/v201.md), for GetVariables and SetVariables
- OCPP 2.1: [variables of the device model](variables/v21.md)

{_SOURCE}

The same at a prompt:

```python
import ocpp_sync

ocpp_sync.describe("HeartbeatInterval", version="1.6")
ocpp_sync.describe("OCPPCommCtrlr.HeartbeatInterval")  # 2.0.1, if no version is given
ocpp_sync.describe("OCPPCommCtrlr", version="2.1")  # all that the component has
ocpp_sync.configuration_keys()["HeartbeatInterval"].unit  # "s"
ocpp_sync.variables(version="2.1")["OCPPCommCtrlr.HeartbeatInterval"].mutability  # "ReadWrite"
```

And at the command line: `ocpp-sync schema HeartbeatInterval --version 1.6`, and `ocpp-sync schema --variables --find heartbeat` for a list.
"""

_PAGE = f"""{_MADE}
# {{title}} of OCPP {{version}}

What must be there, {{condition}}, is in bold type. All versions: [configuration keys and variables](../variables.md).

{{contents}}

{{sections}}"""

_ENUMERATIONS = f"""{_MADE}
# Enumerations across versions

The enumerations that are in more than one version of OCPP, but not with the same values in each; where 1.6 has two of a name, the one whose
name ends with EnumType is that of its security whitepaper. At a prompt: `ocpp_sync.compare_enumeration("Measurand")`, or
`ocpp-sync schema Measurand --compare`.

{{sections}}"""


def standard_files() -> dict[Path, str]:
    """The pages, and what is in them."""
    pages = {_DOCS / "variables" / f"{module_name(version)}.md": _page(version) for version in VERSIONS}
    return {_DOCS / "variables.md": _INDEX, **pages, _DOCS / "enumerations.md": _enumerations()}


def _page(version: str) -> str:
    if version == "1.6":
        title, condition = "Configuration keys", "if the charge point supports the profile"
        groups = _groups(configuration_keys().values(), "profile")
    else:
        title, condition = "Variables", "if the charging station has what the component is about"
        groups = _groups(variables(version=version).values(), "component")
    return _PAGE.format(
        title=title,
        version=version,
        condition=condition,
        contents=", ".join(f"[{name}](#{name.lower().replace(' ', '-')})" for name, _ in groups),
        sections="\n".join(f"## {name}\n\n{_table(version, items)}" for name, items in groups),
    )


def _groups(items: Iterable[ConfigurationKey | Variable], by: str) -> list[tuple[str, list[ConfigurationKey | Variable]]]:
    return [(name or "Any component", list(group)) for name, group in groupby(items, key=lambda item: getattr(item, by))]


def _table(version: str, items: list[ConfigurationKey | Variable]) -> str:
    rows = "".join(
        f"| {_name(item)} | {item.type or ''} | {_access(item)} | {item.unit or ''} | {_remarks(version, item)} |\n" for item in items
    )
    return f"| name | type | access | unit | values |\n| --- | --- | --- | --- | --- |\n{rows}"


def _name(item: ConfigurationKey | Variable) -> str:
    instance = f"[{item.instance}]" if isinstance(item, Variable) and item.instance is not None else ""
    return f"**`{item.name}{instance}`**" if item.required else f"`{item.name}{instance}`"


def _access(item: ConfigurationKey | Variable) -> str:
    return item.accessibility if isinstance(item, ConfigurationKey) else item.mutability or ""


def _remarks(version: str, item: ConfigurationKey | Variable) -> str:
    found = [", ".join(f"`{value}`" for value in item.values)]
    if item.enumeration is not None:
        found.append(f"[{item.enumeration}](../messages/{module_name(version)}.md#{item.enumeration.lower()})")
    if isinstance(item, Variable):
        found += [
            f"required with {item.condition}" if item.condition else "",
            f"attributes {', '.join(item.attributes)}" if item.attributes else "",
        ]
    return "; ".join(filter(None, found))


def _enumerations() -> str:
    sections: dict[str, str] = {}
    for version in VERSIONS:
        for name in named_schemas(version):
            if describe(name, version=version, depth=1).kind != "enumeration":
                continue
            found = compare_enumeration(name)
            if len({enumeration.version for enumeration in found.enumerations}) > 1 and found.differs:
                sections.setdefault(found.enumerations[-1].name, _comparison(found.headings, found.rows))
    return _ENUMERATIONS.format(sections="\n".join(f"## {name}\n\n{table}" for name, table in sorted(sections.items())))


def _comparison(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(headings)} |", f"|{' --- |' * len(headings)}"]
    lines += [f"| `{value}` | {' | '.join(cells)} |" for value, *cells in rows]
    return "\n".join(lines).replace("VALUE", "value", 1) + "\n"

"""A course that a station follows, step by step, from a TOML file: :class:`Scenario`. What a step does is in :mod:`.steps`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from ..errors import ScenarioError, ScenarioFailure
from ..schemas import VERSIONS
from ..validation import ValidationPolicy
from .proof import problem_of
from .station import Station
from .steps import STEPS, Failure, Field, Run
from .transcript import Transcript

__all__ = ["Scenario", "ScenarioError", "ScenarioFailure"]

_ACCEPTANCE = 30.0  # seconds

_TOP = {
    "name": Field(str),
    "description": Field(str),
    "version": Field(str, values=VERSIONS),
    "connectors": Field(int, least=1, most=100),
    "power": Field(float, least=0.1, most=1000),
    "configuration": Field(dict),
    "steps": Field(list, required=True),
}


@dataclass(frozen=True)
class Step:
    """A step.

    Attributes:
        place: Where it is in the file.
        do: What it does.
        fields: With what.
        steps: Those that it repeats.
    """

    place: str
    do: str
    fields: dict[str, Any]
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """A scenario, checked.

    Attributes:
        file: Where it comes from.
        name: What it is called.
        version: The version of OCPP that it is for; None is any.
        options: Further arguments of the :class:`Station`: ``connectors``, ``power``, ``configuration``, as far as it says so.
        steps: What happens.
    """

    file: str
    name: str
    version: str | None
    options: dict[str, Any]
    steps: tuple[Step, ...]

    @classmethod
    def load(cls, file: str | PathLike[str]) -> Scenario:
        """Read a file.

        Args:
            file: Its path.

        Raises:
            ScenarioError: There is something wrong with it; or, on Python 3.10, there is no ``tomli`` to read it.
            OSError: It cannot be read.
        """
        name = str(file)
        try:
            text = Path(file).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise ScenarioError(name, "", "it is no text in UTF-8") from None
        return cls.parse(text, name)

    @classmethod
    def parse(cls, text: str, file: str = "scenario") -> Scenario:
        """Read a text; ``file`` is how errors call it.

        Raises:
            ScenarioError: There is something wrong with it.
        """
        document = _document(text, file)
        _check(document, _TOP, file, "")
        options: dict[str, Any] = {key: document[key] for key in ("connectors", "configuration") if key in document}
        if "power" in document:
            options["power"] = document["power"] * 1000.0
        for key, value in options.get("configuration", {}).items():
            if not isinstance(value, (str, int, float, bool)):
                raise ScenarioError(file, "configuration", f"{key} is a text, a number, true or false")
        if "configuration" in options:
            options["configuration"] = {key: _text(value) for key, value in options["configuration"].items()}
        steps = tuple(_steps(document["steps"], file, "step "))
        return cls(file, document.get("name", Path(file).stem), document.get("version"), options, steps)

    def check(self, version: str, connectors: int, validation: str | Mapping[str, str] = "strict") -> None:
        """Check what depends on the station that is to follow it: before that is started.

        Args:
            version: The version of OCPP that it speaks.
            connectors: How many it has.
            validation: Which payloads it checks, as ``validation=`` of :class:`~ocpp_sync.OcppClient`; what is not checked may
                be wrong.

        Raises:
            ScenarioError: The scenario is for another version, or a step cannot be: it names an action, a field, a value or a
                connector that there is not.
        """
        if self.version not in (None, version):
            raise ScenarioError(self.file, "", f"it is for OCPP {self.version}, not {version}")
        policy = ValidationPolicy(validation, (version,))
        for step in _all(self.steps):
            if (problem := problem_of(step.do, step.fields, version, connectors, policy)) is not None:
                raise ScenarioError(self.file, f"{step.place}, {step.do}", problem)

    def run(self, station: Station, transcript: Transcript) -> None:
        """Let a station follow it, which was started, as soon as the CSMS has accepted it.

        Args:
            station: The station.
            transcript: What passes between it and its CSMS, from the start on.

        Raises:
            ScenarioFailure: Something that is waited for, or expected, has not come.
        """
        run = Run(station, transcript)
        if not station.wait_ready(_ACCEPTANCE):
            raise ScenarioFailure(self.file, "start", f"the CSMS has not accepted the station within {_ACCEPTANCE:g} s")
        for step in self.steps:
            self._do(run, step)

    def _do(self, run: Run, step: Step) -> None:
        run.station.note("step", f"{step.place}: {_shown(step)}", place=step.place, do=step.do)
        try:
            if step.do == "repeat":
                for _ in range(step.fields["times"]):
                    for inner in step.steps:
                        self._do(run, inner)
            else:
                STEPS[step.do].act(run, **step.fields)
        except (Failure, ValueError) as error:
            raise ScenarioFailure(self.file, step.place, f"{step.do}: {error}") from None


def _all(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from _all(step.steps)


def _shown(step: Step) -> str:
    fields = " ".join(f"{name}={value}" for name, value in step.fields.items())
    return f"{step.do} {fields}".rstrip()


def _document(text: str, file: str) -> dict[str, Any]:
    toml = _reader(file)
    try:
        document: dict[str, Any] = toml.loads(text)
    except toml.TOMLDecodeError as error:
        raise ScenarioError(file, "", f"it is no TOML: {error}") from None
    return document


def _reader(file: str) -> Any:
    for module in ("tomllib", "tomli"):  # the first is Python's own from 3.11 on
        try:
            return __import__(module)
        except ModuleNotFoundError:
            continue
    raise ScenarioError(file, "", "to read TOML, Python 3.10 needs the package tomli: pip install 'ocpp-sync[scenarios]'")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _steps(items: list[Any], file: str, before: str) -> Iterator[Step]:
    for number, item in enumerate(items, 1):
        place = f"{before}{number}"
        if not isinstance(item, dict):
            raise ScenarioError(file, place, f'a step is a table, such as {{ do = "plug" }}, not {item!r}')
        do = item.get("do")
        if do not in STEPS:
            said = f"'do' is missing: one of {', '.join(STEPS)}"
            raise ScenarioError(file, place, said if do is None else f"{do!r} is nothing that can be done{_meant(do, STEPS)}")
        _check({name: value for name, value in item.items() if name != "do"}, STEPS[do].fields, file, f"{place}, {do}")
        if (problem := STEPS[do].problem(item)) is not None:
            raise ScenarioError(file, f"{place}, {do}", problem)
        inner = tuple(_steps(item["steps"], file, f"{place}.")) if do == "repeat" else ()
        yield Step(place, do, {name: value for name, value in item.items() if name not in ("do", "steps")}, inner)


def _check(table: dict[str, Any], fields: dict[str, Field], file: str, place: str) -> None:
    for name, value in table.items():
        if name not in fields:
            raise ScenarioError(file, place, f"{name!r} is no field{_meant(name, fields)}")
        if (problem := fields[name].problem(value)) is not None:
            raise ScenarioError(file, place, f"{name} {problem}")
    for name, field in fields.items():
        if field.required and name not in table:
            raise ScenarioError(file, place, f"{name} is missing")


def _meant(word: Any, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(str(word).lower(), names, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(names)}" if names else ""

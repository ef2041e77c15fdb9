"""What one side may send, to look at and to complete at a prompt: ``client.actions``, and ``client.api`` with a function for each."""

from __future__ import annotations

import functools
import inspect
import keyword
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .checks import SIDES
from .descriptions import describe
from .fields import Field, fields_of, message_name, unknown_name
from .schemas import Action, actions, base_version

if TYPE_CHECKING:
    from typing_extensions import Self

    from .connection import Connection

__all__ = ["Actions", "Api"]

_WIDTH = 120  # columns of the text
_TYPES = {"string": str, "integer": int, "number": float, "boolean": bool, "object": dict}


class _Absent:
    """The default of a field that need not be there, in a signature."""

    def __repr__(self) -> str:
        return "..."


_ABSENT = _Absent()


class Actions(tuple[str, ...]):
    """The names of the actions that one side may send, sorted; its text tells which are a SEND.

    Args:
        side: ``"CS"`` or ``"CSMS"``.
        key: The version of OCPP, or the key of a version with schemas of the user's own.

    Attributes:
        side: The same.
        key: The same.
        sends: Those that go out as SEND, by ``send()``; all others are for ``call()``.
    """

    side: str
    key: str
    sends: tuple[str, ...]

    def __new__(cls, side: str, key: str) -> Self:  # noqa: D102
        found = [action for _, action in sorted(actions(key).items()) if action.sent_by in (side, "both")]
        self = super().__new__(cls, (action.name for action in found))
        self.side, self.key = side, key
        self.sends = tuple(action.name for action in found if action.is_send)
        return self

    @property
    def version(self) -> str:
        """The version of OCPP."""
        return base_version(self.key)

    def __repr__(self) -> str:
        return "\n".join([f"What the {SIDES[self.side]} may send with OCPP {self.version}:", *self._lines()])

    def _lines(self) -> Iterator[str]:
        yield from _listed("call", (name for name in self if name not in self.sends))
        yield from _listed("send", self.sends)


class Api:
    """The actions that a connection may send, as functions with the fields as arguments: another spelling of ``call()`` and ``send()``.

    ::

        client.api.BootNotification(chargePointVendor="eParking", chargePointModel="NECU-T2", timeout=5)

    Nested fields are dicts. Beside the fields a function takes the options of ``call()``, ``timeout`` and at a client ``wait``; where a
    field has that name, the option gets an underscore: ``timeout_``. A field of the user's own schemas that is no name in Python goes in as
    ``**{"from": ...}``. ``help()`` shows the fields as a table.
    """

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):  # what IPython and others look for
            raise AttributeError(name)
        found = self._connection.actions
        if name not in found:
            # None: or Python would add its own guess to the one in the text.
            raise AttributeError(_why_not(name, found), name=name, obj=None)
        return _function(self._connection, actions(found.key)[name], found.key)

    def __dir__(self) -> Iterable[str]:
        return self._connection.actions

    def __repr__(self) -> str:
        return repr(self._connection.actions)


def _listed(how: str, names: Iterable[str]) -> list[str]:
    return textwrap.wrap(", ".join(names), _WIDTH, initial_indent=f"  {how}: ", subsequent_indent=" " * 8)


def _why_not(name: str, found: Actions) -> str:
    if name in actions(found.key):
        return f"{name} is not sent by the {SIDES[found.side]}, but to it"
    return str(unknown_name(name, found.key, found))


def _function(connection: Connection, action: Action, key: str) -> Callable[..., Any]:
    send: Callable[..., Any] = connection.send if action.is_send else connection.call
    fields = fields_of(key, message_name(action.name, "request"))
    how = inspect.signature(send, eval_str=True)
    options = _options(how, fields)

    def function(**arguments: Any) -> Any:
        given = {option.name: arguments.pop(name) for name, option in options.items() if name in arguments}
        return send(action.name, arguments, **given)

    function.__name__ = function.__qualname__ = action.name
    function.__doc__ = _doc(key, action.name)
    function.__signature__ = how.replace(parameters=[*_parameters(fields, options)])  # type: ignore[attr-defined]
    return function


def _options(how: inspect.Signature, fields: Iterable[Field]) -> dict[str, inspect.Parameter]:
    """The parameters of ``call()`` or ``send()`` that come after action and payload, by the names that they have among these fields."""
    taken = {field.name for field in fields}
    options = list(how.parameters.values())[2:]
    return {f"{option.name}_" if option.name in taken else option.name: option for option in options}


def _parameters(fields: Sequence[Field], options: Mapping[str, inspect.Parameter]) -> Iterator[inspect.Parameter]:
    named = [field for field in fields if field.name.isidentifier() and not keyword.iskeyword(field.name)]
    yield from map(_parameter, named)
    yield from (option.replace(name=name) for name, option in options.items())
    if len(named) < len(fields):
        yield inspect.Parameter("others", inspect.Parameter.VAR_KEYWORD)


def _parameter(field: Field) -> inspect.Parameter:
    kind = _TYPES.get(str(field.schema.get("type")), Any)
    return inspect.Parameter(
        field.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if field.required else _ABSENT,
        annotation=list[kind] if field.is_array else kind,  # type: ignore[valid-type]
    )


@functools.cache
def _doc(key: str, action: str) -> str:
    return str(describe(action, version=key))

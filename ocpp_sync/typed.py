"""What type checkers see of ``call()``, ``send()``, ``on()`` and ``api`` where the version is known; at run time it is nothing.

``OcppClient("CP1", version="1.6")`` is an ``OcppClient[Literal["1.6"]]``; one whose version is chosen at run time is an
``OcppClient[Version]``, which is what ``OcppClient`` alone stands for. The methods are written once, for any version, and marked with
one of the decorators below. For a type checker, which reads ``typed.pyi`` instead, such a decorator is a descriptor: by the type of the
connection it looks up the overloads of that version and side in :mod:`ocpp_sync.types`. So the version is chosen before a call is
checked, and what is wrong with a call cannot pass as one of an unknown version.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

__all__ = ["Version", "VersionT", "typed_api", "typed_call", "typed_on", "typed_send"]

Version = Literal["1.6", "2.0.1", "2.1"]
VersionT = TypeVar("VersionT", bound=Version, covariant=True)

_Method = TypeVar("_Method", bound=Callable[..., Any])


def typed_call(method: _Method) -> _Method:
    """A ``call()`` whose types depend on the version."""
    return method


def typed_send(method: _Method) -> _Method:
    """A ``send()`` whose types depend on the version."""
    return method


def typed_on(method: _Method) -> _Method:
    """An ``on()`` whose types depend on the version."""
    return method


def typed_api(method: Callable[..., Any]) -> Any:
    """An ``api``, which is a property, whose types depend on the version."""
    return property(method)

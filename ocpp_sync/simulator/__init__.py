"""Simulated charge points: :class:`Station` is one, :class:`Fleet` are many, :class:`Scenario` is a course that one follows.

It is built on what the package offers to everybody, and so its largest example. ``ocpp-sync simulate`` runs it; see ``docs/simulator.md``.
"""

from .connector import State, Token
from .energy import Car
from .fleet import Fleet
from .notes import Note
from .scenario import Scenario, ScenarioError, ScenarioFailure
from .station import Station
from .transcript import Transcript

__all__ = ["Car", "Fleet", "Note", "Scenario", "ScenarioError", "ScenarioFailure", "State", "Station", "Token", "Transcript"]

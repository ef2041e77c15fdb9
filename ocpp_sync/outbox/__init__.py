"""The durable queue: what must reach the CSMS, whatever becomes of link, power and process (rules D7 to D13)."""

from __future__ import annotations

from .delivery import Delivery
from .outbox import Outbox, OutboxSettings
from .store import Damage, DeadLetter, Entry, OpenTransaction

__all__ = ["Damage", "DeadLetter", "Delivery", "Entry", "OpenTransaction", "Outbox", "OutboxSettings"]

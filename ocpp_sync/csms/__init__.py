"""A CSMS for the bench: what an :class:`~ocpp_sync.OcppServer` answers, and what it learns from charge points."""

from ocpp_sync.errors import StateError

from .csms import Csms
from .records import ChargePoint, Transaction

__all__ = ["ChargePoint", "Csms", "StateError", "Transaction"]

"""A CSMS for the bench: what an :class:`~ocpp_sync.OcppServer` answers, and what it learns from charge points."""

from .csms import Csms
from .errors import StateError
from .records import ChargePoint, Transaction

__all__ = ["ChargePoint", "Csms", "StateError", "Transaction"]

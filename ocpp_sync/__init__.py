"""A synchronous, threaded OCPP-J library."""

__version__ = "0.1.0"

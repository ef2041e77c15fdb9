"""The messages of OCPP as types, for type checkers and editors: a module for each version.

Made by ``python -m tools``; do not edit. A message is a TypedDict, which is a plain dict at run time, with the wire's own
names; an enumeration is a Literal::

    from ocpp_sync.types import v16

    request: v16.BootNotificationRequest = {"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"}

A payload that is a variable needs such an annotation: without one it is a plain dict for a type checker, of which nothing is known.
mypy then also says which field is wrong, where of a call it only says that no overload matches.

``number`` is ``float``; :class:`decimal.Decimal` is sent too, but has no place in these types. Nothing of the package imports the
modules at run time.
"""

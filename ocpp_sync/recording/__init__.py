"""Recordings of what passes between charge points and a CSMS: written, read again, and looked at.

:class:`Recorder` writes one frame a line. :class:`Log` reads such a file, and the logs of other makes, and :class:`Pairing` puts each
answer beside its call. The commands ``show``, ``replay`` and ``validate`` stand on these.
"""

from __future__ import annotations

from .frames import Frame
from .log import Log
from .pairing import Exchange, Pairing, exchanges
from .recorder import Recorder

__all__ = ["Exchange", "Frame", "Log", "Pairing", "Recorder", "exchanges"]

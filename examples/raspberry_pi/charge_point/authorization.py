"""Who may charge: by the local list, the CSMS, or, without a link, the offline policy."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from ocpp_sync import CallTimeout, ConnectionClosed, NotAccepted, OcppClient, OcppError, parse_time

from .configuration import Configuration
from .memory import Memory

log = logging.getLogger("charge_point")

TIMEOUT = 10.0  # seconds in which the CSMS must answer


class Wording(Protocol):
    """How a version asks."""

    def authorize(self, tag: str) -> tuple[str, dict[str, Any]]:
        """The request."""

    def token_status(self, response: dict[str, Any]) -> str | None:
        """What an answer says of a token; None is nothing."""


class Authorization:
    """Asks whether somebody may charge."""

    def __init__(self, client: OcppClient[Any], configuration: Configuration, memory: Memory, wording: Wording) -> None:
        self._client, self._configuration, self._memory, self._wording = client, configuration, memory, wording

    def accepts(self, tag: str) -> bool:
        """Whether somebody may charge; this may wait for the CSMS."""
        configuration, listed = self._configuration, self._listed(tag)
        if configuration.flag("list_first") and listed == "Accepted":
            return True
        action, payload = self._wording.authorize(tag)
        try:
            return self._wording.token_status(self._client.call(action, payload, timeout=TIMEOUT)) == "Accepted"
        except (ConnectionClosed, CallTimeout, NotAccepted) as error:
            log.info("the CSMS cannot be asked: %s", error)
        except OcppError as error:  # a CALLERROR, or an answer that is not valid
            log.warning("the CSMS cannot authorize: %s", error)
            return False
        if listed is not None:
            return listed == "Accepted" and configuration.flag("offline_known")
        return configuration.flag("offline_unknown")

    def _listed(self, tag: str) -> str | None:
        entry = self._memory["list"].get(tag.lower()) if self._configuration.flag("use_list") else None
        if entry is None:
            return None
        expiry = entry.get("expiry")
        return "Expired" if expiry is not None and self._client.now() >= parse_time(expiry) else entry["status"]

    @property
    def list_version(self) -> int:
        """The version of the local list."""
        version: int = self._memory["list_version"]
        return version

    def update_list(self, version: int, entries: Mapping[str, Mapping[str, Any] | None], *, is_full: bool) -> str:
        """The CSMS sends the local list.

        Args:
            version: Of the list.
            entries: Status and expiry of each tag; None removes it.
            is_full: Whether it takes the place of the one before.

        Returns:
            The status, which is the same word in all versions.
        """
        if not is_full and version <= self.list_version:
            return "VersionMismatch"
        listed = {} if is_full else dict(self._memory["list"])
        for tag, entry in entries.items():
            if entry is None:
                listed.pop(tag.lower(), None)
            else:
                listed[tag.lower()] = dict(entry)
        if len(listed) > 1000:
            return "Failed"
        self._memory.keep(list=listed, list_version=version)
        return "Accepted"

"""What the CSMS has told the station, and what must be known after a restart: one JSON file, replaced as a whole."""

from __future__ import annotations

import json
import logging
import os
import threading
from pathlib import Path
from typing import Any

log = logging.getLogger("charge_point")

EMPTY: dict[str, Any] = {
    "configuration": {},  # values of keys that the CSMS has set
    "list": {},  # the local authorization list: tag to status and expiry
    "list_version": 0,
    "profiles": [],  # charging profiles as they came
    "operative": True,
    "boot_reason": "PowerUp",  # why the program starts next time; a power cut says nothing
    "meter_wh": 0.0,  # the highest reading that was ever sent
}


class Memory:
    """The file; a change is on disk when :meth:`keep` returns.

    It is written seldom, for the sake of the SD card: while somebody charges, with each meter value that is told.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        self._values: dict[str, Any] = json.loads(json.dumps(EMPTY))
        try:
            self._values.update(json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            pass
        except ValueError as error:
            aside = self._path.with_suffix(".damaged")
            self._path.replace(aside)
            log.error("%s is damaged, and now called %s; what the CSMS had configured is lost: %s", self._path, aside.name, error)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def keep(self, **values: Any) -> None:
        """Change values."""
        with self._lock:
            if all(self._values[name] == value for name, value in values.items()):
                return
            self._values.update(json.loads(json.dumps(values)))
            new = self._path.with_suffix(".new")
            with new.open("w", encoding="utf-8") as file:
                json.dump(self._values, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)

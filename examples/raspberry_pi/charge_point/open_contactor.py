"""Open the contactor of a program that is gone: ``python3 -m charge_point.open_contactor config.toml``, as systemd does (ExecStopPost)."""

from __future__ import annotations

import sys

from .settings import Settings, SettingsError, load


def open_contactor(settings: Settings) -> None:
    """Do what the guard would have done.

    Raises:
        OSError: The board cannot be reached.
        SettingsError: The pin cannot be used.
    """
    if settings.board == "openevse":
        from .rapi import OpenEvse, serial_port

        evse = OpenEvse(serial_port(settings.openevse.port), attempts=20)  # for 10 seconds; nobody says it again
        try:
            evse.sleep()
        finally:
            evse.close()
    else:
        from .pi import open_relay

        open_relay(settings.pins.contactor).close()


def main(path: str) -> int:
    """Returns the exit status."""
    try:
        open_contactor(load(path))
    except (SettingsError, OSError) as error:
        print(f"charge_point: the contactor may be closed still: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python3 -m charge_point.open_contactor config.toml")
    sys.exit(main(sys.argv[1]))

"""Run the charge point: ``python3 -m charge_point config.toml``, in the folder above this one."""

import logging
import os
import signal
import subprocess
import sys
import threading

from ocpp_sync import OcppError

from . import systemd
from .controller import Controller
from .hardware import Hardware
from .settings import Settings, SettingsError, load

log = logging.getLogger("charge_point")

SIGNALS = {signal.SIGTERM, signal.SIGINT}


def make_hardware(settings: Settings) -> Hardware:
    """The board that the settings name; what only the other one needs is not imported."""
    if settings.board == "openevse":
        from .openevse import OpenEvseHardware

        return OpenEvseHardware(settings)
    from .pi import PiHardware

    return PiHardware(settings)


def main(path: str) -> int:
    """Run until SIGTERM, Ctrl-C or a reset; returns the exit status."""
    # Signals are taken by a thread of their own, so that none ever comes between two lines of the main loop. Threads inherit the mask.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        settings = load(path)
        hardware = make_hardware(settings)
        try:
            healthy = (lambda: systemd.notify("WATCHDOG=1")) if systemd.is_there() else None
            controller = Controller(settings, hardware, healthy=healthy, ending=lambda: systemd.notify("STOPPING=1"))
        except BaseException:
            hardware.close()
            raise
    except (SettingsError, OcppError, OSError) as error:
        print(f"charge_point: {error}", file=sys.stderr)
        return 2

    came = []

    def take_signals() -> None:
        number = signal.sigwait(SIGNALS)
        came.append(number)
        controller.stop(f"end, as {signal.Signals(number).name} came")
        signal.sigwait(SIGNALS)  # again: somebody is impatient
        try:
            controller.guard.shut()
        finally:
            os._exit(1)

    def failed(arguments: threading.ExceptHookArgs) -> None:
        controller.guard.failed(arguments.thread.name if arguments.thread else "?", arguments.exc_value)
        threading.__excepthook__(arguments)

    threading.excepthook = failed  # threads of libraries too
    threading.Thread(target=take_signals, name="charge-point signals", daemon=True).start()
    systemd.notify("READY=1")
    how = controller.run()
    if how == "reboot" and settings.reboot_command:
        status = subprocess.run(settings.reboot_command, shell=True, check=False).returncode  # noqa: S602 - it is the owner's own
        if status:
            log.error("reboot_command has failed with status %d: %s", status, settings.reboot_command)
    elif how in ("restart", "reboot") and not came and not systemd.is_there():  # which starts it again
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        os.execv(sys.executable, [sys.executable, "-m", "charge_point", path])  # noqa: S606 - the same program, from its beginning
    return 1 if how == "failed" else 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    if len(sys.argv) != 2:
        sys.exit("usage: python3 -m charge_point config.toml")
    sys.exit(main(sys.argv[1]))

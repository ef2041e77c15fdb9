"""What a station does with itself: start anew, send its logs, install firmware, take a new configuration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from .. import hex_password
from .agenda import Appointment
from .connector import Reason
from .wording import Message

if TYPE_CHECKING:
    from .station import Station

__all__ = ["Maintenance"]

_BOOT_TIME = 2.0  # of the station's seconds
_FLUSH_TIME = 10.0  # seconds that the last messages before a reset may take
_UPLOAD = ((0.0, "Uploading"), (5.0, "Uploaded"))
_DOWNLOAD = ((0.0, "Downloading"), (10.0, "Downloaded"))
_INSTALL = ((2.0, "Installing"), (5.0, "InstallRebooting"))
_LAST = ("Uploaded", "Installed", "AcceptedCanceled")


class Course:
    """Something that goes on step by step.

    Args:
        station: Whose it is.
        say: Makes the message of a step.
        number: The request's; None in the older messages of 1.6, which have none.
        what: Its name in the notes.

    Attributes:
        status: The step that was said last.
    """

    def __init__(self, station: Station, say: Callable[[str, int | None], Message | None], number: int | None, what: str) -> None:
        self._station = station
        self._say = say
        self._what = what
        self.number = number
        self.status = "Idle"
        self._said = say("Idle", number)
        self._next: Appointment | None = None

    def run(self, steps: Sequence[tuple[float, str]], then: Callable[[], object] = lambda: None) -> None:
        """Say one thing after the other, each so many of the station's seconds after the one before; then do something."""
        if not steps:
            self._station.agenda.soon(then)  # when the last step has been said
            return
        (seconds, status), *rest = steps
        self._next = self._station.agenda.after(seconds, partial(self._step, status, rest, then))

    def _step(self, status: str, rest: Sequence[tuple[float, str]], then: Callable[[], object]) -> None:
        self.tell(status)
        self.run(rest, then)

    def tell(self, status: str) -> None:
        """Say how far it is."""
        self.status = status
        self._station.note(self._what, f"{self._what}: {status}", status=status)
        message = self._say(status, self.number)
        if message is not None:  # else the version has no word for that
            self._said = message
            self.repeat()

    def repeat(self) -> None:
        """Say it again."""
        self._station.say(self._said)

    @property
    def is_under_way(self) -> bool:
        """Whether it has begun, and has not come to its end."""
        return self._next is not None and self.status not in _LAST

    def cancel(self) -> None:
        """Let it end here."""
        if self._next is not None:
            self._next.cancel()


class Maintenance:
    """See the module.

    Args:
        station: The station.

    Attributes:
        log: The upload that was asked for last.
        firmware: The update that was asked for last.
    """

    def __init__(self, station: Station) -> None:
        self._station = station
        self._is_rebooting = False  # only looked at in the station's thread
        self.log = Course(station, station.wording.log, None, "log")
        self.firmware = Course(station, station.wording.firmware, None, "firmware")

    # --- Starting anew

    def reset(self, *, hard: bool, boot_reason: str = "RemoteReset") -> None:
        """The CSMS wants it to start anew, at once."""
        reason = Reason.HARD_RESET if hard else Reason.SOFT_RESET
        self._station.agenda.soon(partial(self.reboot, reason, boot_reason, hard=hard))

    def reset_on_idle(self) -> None:
        """The same as soon as nobody charges, and nobody may begin until then."""
        station = self._station
        with station.changing():
            station.is_resetting = True
        station.note("reset", "starts anew when nobody charges any more")
        station.when_idle(partial(self.reboot, Reason.SOFT_RESET, "ScheduledReset"))

    def reboot(self, reason: Reason, boot_reason: str, *, hard: bool = False) -> None:
        """Start anew; in the station's thread."""
        station = self._station
        if self._is_rebooting:
            return
        self._is_rebooting = True
        station.reboots += 1
        station.note("reboot", "starts anew", reason=boot_reason)
        with station.changing():
            station.is_resetting = True
        if hard:
            station.uplink.disconnect("a reset")
        with station.changing():
            station.charging.end_all(reason)
        station.uplink.flush(_FLUSH_TIME)
        station.uplink.disconnect("a reset")
        station.agenda.after(_BOOT_TIME, partial(self._boot, boot_reason))

    def _boot(self, boot_reason: str) -> None:
        station = self._station
        self._is_rebooting = False
        with station.changing():
            station.configuration.boot()
            station.is_resetting = False
            for connector in station.connectors.values():
                connector.finished = False
        station.uplink.connect(station.wording.boot(station.who, boot_reason))

    # --- Logs and firmware

    def send_log(self, number: int | None) -> None:
        """Pretend to upload; an upload that is under way ends."""
        if self.log.is_under_way:
            self.log.cancel()
            self.log.tell("AcceptedCanceled")
        self.log = Course(self._station, self._station.wording.log, number, "log")
        self.log.run(_UPLOAD)

    def update_firmware(self, number: int | None, since: datetime) -> None:
        """Pretend to download firmware, from a time on, and to install it; an update that is under way ends."""
        station = self._station
        self.firmware.cancel()
        self.firmware = course = Course(station, station.wording.firmware, number, "firmware")
        wait = max(0.0, (since - station.now()).total_seconds()) * station.speed
        if wait > 0:
            course.tell("DownloadScheduled")
        (_, first), *others = _DOWNLOAD
        course.run([(wait, first), *others], lambda: station.when_idle(partial(self._install, course)))

    def _install(self, course: Course) -> None:
        if course is self.firmware:
            course.run(_INSTALL, partial(self._restart_with, course))

    def _restart_with(self, course: Course) -> None:
        station = self._station
        major, _, rest = station.who.firmware.partition(".")
        station.who = station.who._replace(firmware=f"{int(major) + 1}.{rest}")
        self.reboot(Reason.REBOOT, "FirmwareUpdate")
        station.presence.when_accepted(partial(course.tell, "Installed"))

    # --- Configuration

    def apply(self, name: str) -> None:
        """A setting has a new value; with the lock held."""
        station = self._station
        apply = _APPLIED.get(name)
        if apply is not None:
            with suppress(ValueError):  # one that makes no sense changes nothing
                apply(station)


def _sample(station: Station) -> None:
    for connector in station.connectors.values():
        station.metering.plan_sample(connector)


def _heartbeat(station: Station) -> None:
    station.client.heartbeat_interval = station.configuration.number("heartbeat interval")


def _ping(station: Station) -> None:
    station.client.ping_interval = station.configuration.number("ping interval")


def _attempts(station: Station) -> None:
    station.client.outbox.attempts = int(station.configuration.number("message attempts"))


def _retry(station: Station) -> None:
    station.client.outbox.retry_interval = station.configuration.number("message retry interval")


def _password(station: Station) -> None:
    text = station.configuration.text("password")
    if text:
        station.client.reconfigure(password=hex_password(text) if station.version == "1.6" else text)


_APPLIED: dict[str, Callable[[Station], None]] = {
    "heartbeat interval": _heartbeat,
    "message attempts": _attempts,
    "message retry interval": _retry,
    "password": _password,
    "ping interval": _ping,
    "sample interval": _sample,
}

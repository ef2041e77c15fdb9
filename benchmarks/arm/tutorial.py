"""docs/raspberry-pi.md, typed on an emulated Raspberry Pi 2 B, with this machine as the other one; and what the contactor's pin does."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.arm.machine import PI_2, Machine, boot
from benchmarks.arm.userland import PROJECT, Root

PAGE = PROJECT / "docs" / "raspberry-pi.md"
PATIENCE = 300.0  # seconds for anything that must come
PIN = "grep -h '^pin 17 ' /sys/kernel/debug/pinctrl/*gpio*/pins"
SERVICE = "systemctl show charge-point --value -p"
# What an emulated machine cannot do, or need not.
SKIPPED = ("echo dtparam", "sudo reboot", "sudo apt", "pinctrl")
CLONE = "git clone -q -c advice.detachedHead=false /opt/project.bundle ocpp_sync"


def run(root: Root) -> Iterator[str]:
    """Type the page; the lines say what came of it."""
    root.run("/opt/debian/bin/pip install -q --no-index --find-links /opt/wheels --target /usr/lib/python3/dist-packages --upgrade lgpio")
    with boot(root, PI_2) as pi, tempfile.TemporaryDirectory() as folder, Laptop(Path(folder)) as laptop:
        yield "| typed | seconds |"
        yield "| --- | ---: |"
        text = PAGE.read_text(encoding="utf-8")
        password = re.findall(r'^password = "(.*)"', text, re.MULTILINE)[0]
        for machine, command in commands(text):
            if not command.startswith(SKIPPED):
                started = time.monotonic()
                if machine == "pi":
                    pi.run(_on_the_pi(command, text), user="pi")
                elif command.startswith("scp "):
                    pi.copy(laptop.folder / command.split()[1])
                elif "serve" in command:
                    laptop.serve(command)
                else:
                    laptop.run(command, password)
                yield f"| `{machine}$ {command}` | {time.monotonic() - started:.0f} |"
        yield ""
        yield "| then | came of it |"
        yield "| --- | --- |"
        yield from _charged(pi, laptop, re.findall(r"^>>> (.*)$", text, re.MULTILINE))


def commands(page: str) -> list[tuple[str, str]]:
    """What is typed where: ``("pi", "sudo reboot")``."""
    return re.findall(r"^ +(pi|laptop)\$ (.*)$", page, re.MULTILINE)


def _on_the_pi(command: str, page: str) -> str:
    if command.startswith("git clone"):
        return CLONE
    if command.startswith("sudo nano"):
        toml = page.split("```toml\n")[1].split("```")[0]
        edits = " ".join(f"-e 's|^#* *{line.split()[0]} = .*|{line}|'" for line in toml.splitlines())
        return f"sudo sed -i {edits} {command.split()[-1]}"
    return command


def _charged(pi: Machine, laptop: Laptop, calls: list[str]) -> Iterator[str]:
    """What the page promises, and what the README says of the contactor."""
    laptop.wait_for("Available")
    log = pi.run("journalctl -u charge-point -o cat | grep BootNotification", user="pi").strip()
    yield f"| the log | `{log}` |"
    yield f"| `systemctl is-active charge-point`, memory by its cgroup | {pi.run(f'{SERVICE} ActiveState').strip()}, {_mebibytes(pi)} |"
    start, stop = calls
    yield f"| GPIO17 before anybody charges | {_pin(pi, 'gpio_out in lo')} |"
    laptop.type(start)
    yield f"| `{start}` | GPIO17: {_pin(pi, 'gpio_out in hi')} |"
    laptop.wait_for("transactionId")
    laptop.type(stop)
    yield f"| `{stop}` | GPIO17: {_pin(pi, 'gpio_out in lo')} |"
    laptop.type(start)
    _pin(pi, "gpio_out in hi")
    laptop.wait_for("Charging")
    killed = pi.run(f"systemctl kill -s KILL charge-point; {PIN}")
    yield f"| `kill -9` while somebody charges | GPIO17: `{_state(killed)}`: an input, which the pull-down makes low |"
    _until(lambda: "status=0" in pi.run(f"{SERVICE} ExecStopPost"), "the end of ExecStopPost")
    yield f"| `ExecStopPost` | GPIO17: `{_state(pi.run(PIN))}`; the command has opened it, too |"
    laptop.wait_for("StopTransaction .*PowerLoss")
    yield f"| systemd has started it again | GPIO17: {_pin(pi, 'gpio_out in lo')}; StopTransaction with the reason PowerLoss |"
    started = time.monotonic()
    laptop.type('call("Reset", type="Soft")')
    laptop.wait_for("BootNotification")
    laptop.wait_for("Available")
    seconds = time.monotonic() - started
    yield f"| a soft Reset | systemd has started it again, and it has registered, after {seconds:.0f} s |"
    laptop.type(start)
    _pin(pi, "gpio_out in hi")
    started = time.monotonic()
    pi.run("systemctl kill -s STOP charge-point")
    _until(lambda: "gpio_in" in pi.run(PIN) or "in lo" in pi.run(PIN), "the watchdog")
    seconds = time.monotonic() - started
    then = f"after {seconds:.0f} s systemd has killed it, and GPIO17 is no output that is high"
    yield f"| `kill -STOP` while somebody charges: it hangs | {then} |"


def _pin(pi: Machine, wanted: str) -> str:
    seen = ""

    def is_there() -> bool:
        nonlocal seen
        seen = _state(pi.run(PIN))
        return seen == wanted

    _until(is_there, f"GPIO17 as {wanted}")
    return f"`{seen}`"


def _state(line: str) -> str:
    """``gpio_out in hi``: what the kernel's driver says of a pin."""
    return re.sub(r".*function (.*?);.*", r"\1", line.strip())


def _mebibytes(pi: Machine) -> str:
    return f"{int(pi.run(f'{SERVICE} MemoryCurrent')) / 2**20:.1f} MiB"


def _until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() >= deadline:
            raise TimeoutError(f"{what} has not come in {PATIENCE:.0f} s")
        time.sleep(0.5)


class Laptop:
    """This machine, as the one with the CSMS: a clone of the project in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "clone"
        self._out = folder / "serve.log"
        self._serving: subprocess.Popen[bytes] | None = None
        self._prompt, self._terminal = os.openpty()  # a prompt reads lines as they come from a terminal alone
        self._seen = 0

    def __enter__(self) -> Laptop:
        subprocess.run(["git", "clone", "-q", "--no-hardlinks", PROJECT, self.folder], check=True)
        return self

    def __exit__(self, *error: object) -> None:
        if self._serving is not None:
            self._serving.kill()
            self._serving.wait()
        os.close(self._prompt)
        os.close(self._terminal)

    def run(self, command: str, password: str) -> None:
        """Run a command; whatever asks gets the password."""
        subprocess.run(["sh", "-c", command], cwd=self.folder, input=f"{password}\n", text=True, check=True)

    def serve(self, command: str) -> None:
        """Run the command that goes on, and has a prompt."""
        with self._out.open("w", encoding="utf-8") as out:
            self._serving = subprocess.Popen(["sh", "-c", f"exec {command}"], cwd=self.folder, stdin=self._terminal, stdout=out, stderr=out)
        self.wait_for("listens at")

    def type(self, line: str) -> None:
        """Type something at its prompt."""
        os.write(self._prompt, f"{line}\n".encode())

    def wait_for(self, pattern: str) -> None:
        """Until it has shown something, behind what was waited for before."""

        def is_there() -> bool:
            found = re.compile(pattern).search(self._out.read_text(encoding="utf-8"), self._seen)
            self._seen = found.end() if found else self._seen
            return found is not None

        _until(is_there, pattern)

"""A whole machine with an ARM processor and 256 MB, emulated by qemu-system-arm."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BOOT_TIMEOUT = 600.0  # seconds
SIZE = "3G"  # of the disk
HOST = "10.0.2.2"  # what the machine calls this one
_FSTAB = "/dev/vda / ext4 noatime 0 1\n"
_NETWORK = "[Match]\nName=e*\n[Network]\nDHCP=yes\n"
_NAMES = f"127.0.0.1 localhost raspberrypi\n{HOST} csms.example\n"


class Machine:
    """One that has booted.

    Args:
        port: Where its ssh is.
        key: Of root.
    """

    def __init__(self, port: int, key: Path) -> None:
        known = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
        self._ssh = ["ssh", "-i", str(key), "-p", str(port), *known, "-o", "ConnectTimeout=10", "root@127.0.0.1"]

    def run(self, command: str, *, timeout: float = 1800.0) -> str:
        """Run a command of a shell; returns what it prints.

        Raises:
            subprocess.CalledProcessError: It has failed.
        """
        done = subprocess.run([*self._ssh, command], stdout=subprocess.PIPE, text=True, timeout=timeout, check=True)
        return done.stdout

    def wait(self) -> None:
        """Until it has booted."""
        deadline = time.monotonic() + BOOT_TIMEOUT
        while subprocess.run([*self._ssh, "true"], capture_output=True, check=False).returncode:
            if time.monotonic() >= deadline:
                raise TimeoutError(f"the machine has not booted for {BOOT_TIMEOUT:.0f} s; its console is in console.log")
            time.sleep(1)


@contextmanager
def boot(root: Path, work: Path, memory: int = 256) -> Iterator[Machine]:
    """Make a disk of a userland, and start a machine from it; what is written there is gone at the end.

    Args:
        root: The userland's folder, with a kernel in it.
        work: Where the disk may be.
        memory: MB.
    """
    disk, key, port = work / f"{root.name}.img", work / "key", _free_port()
    if not key.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    _prepare(root, key.with_suffix(".pub").read_text(encoding="utf-8"))
    disk.unlink(missing_ok=True)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", root, disk, SIZE], check=True)
    kernel, initrd = (root / name for name in ("vmlinuz", "initrd.img"))
    command = [
        *("qemu-system-arm", "-M", "virt,highmem=off", "-cpu", "cortex-a7", "-m", str(memory), "-nographic", "-no-reboot"),
        *("-kernel", _inside(root, kernel), "-initrd", _inside(root, initrd), "-append", "root=/dev/vda rw console=ttyAMA0"),
        *("-drive", f"if=none,id=disk,format=raw,file={disk}", "-device", "virtio-blk-device,drive=disk"),
        *("-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{port}-:22", "-device", "virtio-net-device,netdev=net"),
    ]
    with (work / "console.log").open("wb") as console:
        emulator = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT)
        try:
            machine = Machine(port, key)
            machine.wait()
            yield machine
        finally:
            emulator.kill()
            emulator.wait()
            disk.unlink()


def _prepare(root: Path, key: str) -> None:
    """Let it be reached, with the settings of a fresh Raspberry Pi OS as far as they matter."""
    files = {
        "etc/fstab": _FSTAB,
        "etc/hostname": "raspberrypi\n",
        "etc/hosts": _NAMES,
        "etc/systemd/network/wired.network": _NETWORK,
        "etc/pip.conf": "[global]\nno-index = true\nfind-links = /opt/wheels\n",  # where wheels come from, without a network
        "root/.ssh/authorized_keys": key,
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    wanted = root / "etc/systemd/system/multi-user.target.wants"
    for unit in ("systemd-networkd.service",):
        link = wanted / unit
        link.unlink(missing_ok=True)
        link.symlink_to(f"/lib/systemd/system/{unit}")
    shutil.rmtree(root / "var/lib/apt/lists", ignore_errors=True)


def _inside(root: Path, link: Path) -> str:
    """A file of a userland, where its links are those of the userland."""
    return str(root / str(link.readlink()).lstrip("/")) if link.is_symlink() else str(link)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port

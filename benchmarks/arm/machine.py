"""Whole machines with an ARM processor, emulated by qemu-system-arm."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.arm.userland import PROJECT, Root

BOOT_TIMEOUT = 900.0  # seconds
HERE = "10.0.2.2"  # what the machine calls the one that it is emulated on
# What a fresh Raspberry Pi OS has, and Debian has not.
_LIKE_RASPBERRY_PI_OS = """
id pi || useradd --create-home --shell /bin/bash --groups sudo,adm,dialout pi
getent group gpio || groupadd --system gpio
getent group spi || groupadd --system spi
echo 'pi ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/pi
echo 'SUBSYSTEM=="gpio", GROUP="gpio", MODE="0660"' > /etc/udev/rules.d/99-com.rules
mkdir -p /home/pi/.ssh && cp /root/.ssh/authorized_keys /home/pi/.ssh && chown -R pi: /home/pi
systemctl enable systemd-networkd
"""
_FILES = {
    "etc/hostname": "raspberrypi\n",
    "etc/hosts": f"127.0.0.1 localhost raspberrypi\n{HERE} laptop.local\n",
    "etc/systemd/network/wired.network": "[Match]\nName=e*\n[Network]\nDHCP=yes\n",
    "etc/modprobe.d/network.conf": "blacklist cdc_subset\n",  # which takes qemu's USB network for another one, if it is loaded first
    "etc/pip.conf": "[global]\nno-index = true\nfind-links = /opt/wheels\n",  # where wheels come from, without a network
}
_REVISION = ("/system", "linux,revision", "a21041")  # what the firmware of a Pi tells the kernel, and qemu does not: a Pi 2 B


class Board(NamedTuple):
    """A kind of machine.

    Attributes:
        options: Of qemu.
        drive: What its disk is to qemu.
        root: What its disk is to the kernel.
        size: Of the disk; a card's is a power of two.
        device_tree: The file of the kernel's package that says what it consists of; None if qemu does.
    """

    options: str
    drive: str
    root: str
    size: str
    device_tree: str | None = None


SMALL = Board(
    "-M virt,highmem=off -cpu cortex-a7 -m 256 -device virtio-net-device,netdev=net -device virtio-blk-device,drive=disk",
    "if=none,id=disk",
    "/dev/vda",
    "3G",
)
PI_2 = Board("-M raspi2b -device usb-net,netdev=net", "if=sd", "/dev/mmcblk0", "4G", "bcm2836-rpi-2-b.dtb")


class Machine:
    """One that has booted.

    Args:
        port: Where its ssh is.
        key: Of root and pi.
    """

    def __init__(self, port: int, key: Path) -> None:
        known = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
        self._options = ["-i", str(key), *known, "-o", "ConnectTimeout=20"]
        self._port = str(port)

    def run(self, command: str, *, user: str = "root", timeout: float = 3600.0) -> str:
        """Run a command of a shell; returns what it prints.

        Raises:
            subprocess.CalledProcessError: It has failed.
        """
        ssh = ["ssh", *self._options, "-p", self._port, f"{user}@127.0.0.1", command]
        done = subprocess.run(ssh, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=timeout, check=True)
        return done.stdout

    def copy(self, file: Path, user: str = "pi") -> None:
        """Copy a file into the user's folder."""
        subprocess.run(["scp", "-q", *self._options, "-P", self._port, file, f"{user}@127.0.0.1:"], check=True)

    def wait(self) -> None:
        """Until it has booted; it knows the time then."""
        deadline = time.monotonic() + BOOT_TIMEOUT
        while True:
            try:
                self.run(f"date -s @{time.time():.0f}", timeout=60)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
                if time.monotonic() >= deadline:
                    raise TimeoutError(f"the machine has not booted for {BOOT_TIMEOUT:.0f} s; see its console") from None
                time.sleep(1)
            else:
                return


@contextmanager
def boot(root: Root, board: Board) -> Iterator[Machine]:
    """Make a disk of a userland, and start a machine from it; what is written there is gone at the end."""
    work = root.path.parent
    disk, console, key, port = work / f"{root.path.name}.img", work / f"{root.path.name}.console", work / "key", _free_port()
    if not key.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    _prepare(root, key.with_suffix(".pub"))
    disk.unlink(missing_ok=True)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", root.path, disk, board.size], check=True)
    kernel, initrd = (next((root.path / "boot").glob(f"{name}-*-armmp")) for name in ("vmlinuz", "initrd.img"))
    command = [
        *("qemu-system-arm", *board.options.split(), "-nographic", "-no-reboot", "-kernel", kernel, "-initrd", initrd),
        *("-append", f"root={board.root} rw rootwait console=ttyAMA0"),
        *("-drive", f"{board.drive},format=raw,file={disk}"),
        *("-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{port}-:22"),
        *(("-dtb", _device_tree(root, board.device_tree)) if board.device_tree else ()),
    ]
    with console.open("wb") as output:
        emulator = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            machine = Machine(port, key)
            machine.wait()
            yield machine
        finally:
            emulator.kill()
            emulator.wait()
            disk.unlink()


def _prepare(root: Root, key: Path) -> None:
    for name, text in _FILES.items():
        path = root.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    keys = root.path / "root" / ".ssh"
    keys.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(key, keys / "authorized_keys")
    root.run(_LIKE_RASPBERRY_PI_OS)
    subprocess.run(["git", "bundle", "create", "-q", root.path / "opt" / "project.bundle", "HEAD"], cwd=PROJECT, check=True)


def _device_tree(root: Root, name: str) -> Path:
    """That of the kernel, with what the firmware would add."""
    file = root.path.parent / name
    shutil.copy(next((root.path / "usr" / "lib").glob(f"linux-image-*/{name}")), file)
    node, prop, value = _REVISION
    subprocess.run(["fdtput", "-c", file, node], check=True)
    subprocess.run(["fdtput", "-t", "x", file, node, prop, value], check=True)
    # The emulated DMA loses what the driver of the SD card expects of it.
    subprocess.run(["fdtput", "-d", file, "/soc/mmc@7e202000", "dmas", "dma-names"], check=True)
    return file


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port

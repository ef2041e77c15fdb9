"""Debian for ARM in a folder, whose programs run on this machine by qemu-user-static."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
DEBIANS_OWN = "the dependencies that Debian has"
WHEELS = "the newest dependencies, from wheels"
_LIBRARIES = ("websocket-client", "simple-websocket", "wsproto", "jsonschema")
# Needed beside what pip downloads: Debian's cryptography, since no wheel of it is for 32-bit ARM, and what the example needs of Debian.
_PACKAGES = (
    "python3-venv", "python3-websocket", "python3-wsproto", "python3-jsonschema", "python3-cryptography", "python3-gpiozero",
    "python3-serial", "python3-spidev", "ca-certificates", "procps", "git",
)  # fmt: skip
_MACHINE = ("linux-image-armmp", "systemd-sysv", "udev", "dbus", "iproute2", "kmod", "openssh-server", "sudo", "nano", "gpiod")
# What the disks of machine.py need; all modules there are would take minutes.
_MODULES = ("virtio_mmio", "virtio_blk", "bcm2835", "mmc_block", "ext4")
_INITRD = f"""--essential-hook=cd "$1" && mkdir -p etc/initramfs-tools/conf.d usr/share/initramfs-tools/modules.d &&
echo MODULES=list > etc/initramfs-tools/conf.d/few && printf '%s\\n' {" ".join(_MODULES)} > usr/share/initramfs-tools/modules.d/few"""
_NO_DEPENDENCIES = ("trustme", "idna", "ocpp")  # which are Debian's cryptography and, for ocpp, whatever jsonschema is there
_GLIBC = (17, 28, 31, 34, 35)  # of the wheels' tags; Debian 12 has 36


@dataclass(frozen=True)
class Userland:
    """What is built.

    Attributes:
        suite: Of Debian.
        arch: What Debian calls the architecture.
        python: That of the suite, as wheels have it.
        machine: What wheels call the processor.
        packages: Beside those of all.
        wheels: Beside those of the tests.
        cpu: What qemu-user pretends to be; empty is the best that it can.
    """

    suite: str
    arch: str
    python: str
    machine: str
    packages: tuple[str, ...] = ()
    wheels: tuple[str, ...] = ()
    cpu: str = ""

    @property
    def name(self) -> str:
        """What it is called."""
        return f"{self.suite}-{self.arch}"

    @property
    def is_whole(self) -> bool:
        """Whether all can be done with it: it has a kernel, and there are wheels for it; else it is for a smoke test."""
        return "linux-image-armmp" in self.packages


USERLANDS = (
    Userland("bookworm", "armhf", "311", "armv7l", _MACHINE, ("lgpio",)),
    Userland("trixie", "armhf", "313", "armv7l", (*_MACHINE, "python3-simple-websocket")),
    Userland("bookworm", "armel", "311", "armv6l", cpu="arm1176"),
)


class Root:
    """A userland in a folder.

    Args:
        userland: Which.
        work: The folder that keeps all of them.
    """

    def __init__(self, userland: Userland, work: Path) -> None:
        self.userland = userland
        self.path = work / userland.name
        self._log = work / f"{userland.name}.log"
        self._wheels = work / f"wheels-{userland.python}-{userland.machine}"

    def build(self, mirror: str) -> None:
        """Make it, unless it is there, and put the project and its wheels into it."""
        if not self.path.exists():
            half = self.path.with_suffix(".half")
            shutil.rmtree(half, ignore_errors=True)
            packages = ",".join((*_PACKAGES, *self.userland.packages))
            source = f"deb {mirror} {self.userland.suite} main"
            options = (f"--arch={self.userland.arch}", "--variant=apt", f"--include={packages}", _INITRD)
            # In a namespace of its own, so that no mount survives a build that is interrupted.
            _do("unshare", "--mount", "mmdebstrap", *options, self.userland.suite, half, source)
            half.rename(self.path)
            (self.path / "etc" / "hosts").write_text("127.0.0.1 localhost\n", encoding="utf-8")
        self._fetch_wheels()
        for folder in ("project", "wheels"):
            shutil.rmtree(self.path / "opt" / folder, ignore_errors=True)
        shutil.copytree(self._wheels, self.path / "opt" / "wheels")
        (self.path / "opt" / "project").mkdir()
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, check=True, capture_output=True).stdout
        files = b"\0".join(each for each in listed.split(b"\0") if (PROJECT / os.fsdecode(each)).is_file())
        packed = subprocess.run(["tar", "-c", "--null", "-T", "-"], cwd=PROJECT, check=True, capture_output=True, input=files).stdout
        subprocess.run(["tar", "-x", "-C", self.path / "opt" / "project"], check=True, input=packed)

    def run(self, command: str, *, check: bool = True, **environ: str) -> str:
        """Run a command of a shell in it; returns what it prints, which goes to the log, too.

        Raises:
            subprocess.CalledProcessError: It has failed.
        """
        variables = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8", **environ}
        if self.userland.cpu:
            variables["QEMU_CPU"] = self.userland.cpu
        root = shlex.quote(str(self.path))
        mounts = f"mount -t proc proc {root}/proc && mount --rbind /dev {root}/dev && mount -t tmpfs tmpfs {root}/tmp"
        inside = ["chroot", str(self.path), "env", "-i", *(f"{name}={value}" for name, value in variables.items()), "sh", "-c", command]
        # The mounts are in a namespace of their own, and gone with it.
        shell = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", f"{mounts} && exec {shlex.join(inside)}"]
        said = []
        with subprocess.Popen(shell, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            assert process.stdout is not None
            with self._log.open("a", encoding="utf-8") as log:
                for line in process.stdout:
                    said.append(line)
                    log.write(line)
                    log.flush()
        if check and process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command, "".join(said))
        return "".join(said)

    def install(self, dependencies: str, venv: str) -> None:
        """Make an environment in it, with the library and all that its tests need."""
        pip = f"{venv}/bin/pip install -q --no-index --find-links /opt/wheels"
        self.run(f"rm -rf {venv} && python3 -m venv --system-site-packages {venv}")
        if dependencies is DEBIANS_OWN:  # which has no simple-websocket in Debian 12
            self.run(f"{pip} ocpp-sync")
        else:
            self.run(f"{pip} --ignore-installed ocpp-sync")
        self.run(f"{pip} {shlex.join(self._of_tests())} && {pip} --no-deps {' '.join(_NO_DEPENDENCIES)}")

    def versions(self, venv: str) -> str:
        """What was installed."""
        python = self.run(f"{venv}/bin/python -V").strip()
        found = self.run(f"{venv}/bin/pip list --format=freeze | grep -E '^({'|'.join(_LIBRARIES)})=='").split()
        return ", ".join([python, *(each.replace("==", " ") for each in found)])

    def _fetch_wheels(self) -> None:
        """Download what pip needs inside, where it might have no network."""
        shutil.rmtree(self._wheels, ignore_errors=True)
        self._wheels.mkdir()
        _do(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", self._wheels, PROJECT)
        it = self.userland
        platforms = [f"manylinux_2_{minor}_{it.machine}" for minor in _GLIBC] + [
            f"manylinux2014_{it.machine}",
            f"linux_{it.machine}",
            "any",
        ]
        tags = [f"--platform={each}" for each in platforms] + [f"--abi={each}" for each in (f"cp{it.python}", "abi3", "none")]
        fetch = (
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--only-binary=:all:",
            "-d",
            self._wheels,
            f"--python-version={it.python}",
            *tags,
        )
        ours = next(self._wheels.glob("ocpp_sync-*.whl"))
        _do(*fetch, "setuptools>=64", "wheel", *it.wheels, ours, *self._of_tests())
        _do(*fetch, "--no-deps", *_NO_DEPENDENCIES)

    def _of_tests(self) -> list[str]:
        """What the extra ``test`` wants, but what needs wheels of cryptography."""
        with zipfile.ZipFile(next(self._wheels.glob("ocpp_sync-*.whl"))) as wheel:
            name = next(each for each in wheel.namelist() if each.endswith(".dist-info/METADATA"))
            wanted = HeaderParser().parsestr(wheel.read(name).decode()).get_all("Requires-Dist") or []
        tests = [each.split(";")[0].strip() for each in wanted if each.endswith('extra == "test"')]
        if not self.userland.is_whole:
            return [each for each in tests if each.startswith(("pytest", "hypothesis", "websockets"))]
        return [each for each in tests if not each.startswith(("cryptography", "trustme", "ocpp"))]


def find_mirror() -> str:
    """Where this machine has its own packages from."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return next(each for each in found if "security" not in each)


def _do(*command: object) -> None:
    subprocess.run(list(map(str, command)), check=True, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})

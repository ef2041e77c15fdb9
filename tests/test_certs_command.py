"""``ocpp-sync certs``: what it makes serves both ends."""

from __future__ import annotations

import builtins
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from ocpp_sync.certificates import read_certificates
from ocpp_sync.cli import main
from ocpp_sync.tls import client_context, server_context

from .test_tls import failure, shake


def test_what_it_makes_serves_both_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "certs"
    assert main(["certs", str(folder), "--host", "csms.example", "--host", "127.0.0.1", "--host", "::1", "--client", "CP1111"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        str(folder / f"{stem}.{end}") for stem in ("ca", "server", "CP1111") for end in ("pem", "key")
    ]
    server = server_context(folder / "server.pem", folder / "server.key", client_ca=folder / "ca.pem", strict_certificate=True)
    client = client_context(cafile=folder / "ca.pem", certfile=folder / "CP1111.pem", keyfile=folder / "CP1111.key")
    for host in ("csms.example", "127.0.0.1", "::1"):
        assert shake(client, server, host)[1]["subject"] == ((("commonName", "CP1111"),),)
    assert failure(client_context(cafile=folder / "ca.pem"), server) == "client-certificate"
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.glob("*.key"))


def test_c5_the_server_s_is_for_small_stations(tmp_path: Path) -> None:
    assert main(["certs", str(tmp_path)]) == 0
    (own,) = read_certificates(tmp_path / "server.pem")
    assert (own.key_type, own.key_bits) == ("RSA", 2048)
    assert own.size <= 2048


def test_key_usage_is_what_each_is_for(tmp_path: Path) -> None:
    assert main(["certs", str(tmp_path), "--client", "CP1"]) == 0
    for stem, purpose in (("server", "serverAuth"), ("CP1", "clientAuth")):
        certificate = x509.load_pem_x509_certificate((tmp_path / f"{stem}.pem").read_bytes())
        assert [usage._name for usage in certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value] == [purpose]
        assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_a_ca_that_is_there_is_used_again(tmp_path: Path) -> None:
    assert main(["certs", str(tmp_path)]) == 0
    ca = (tmp_path / "ca.pem").read_bytes()
    assert main(["certs", str(tmp_path), "--client", "CP2"]) == 0
    assert (tmp_path / "ca.pem").read_bytes() == ca
    client_context(cafile=tmp_path / "ca.pem", certfile=tmp_path / "CP2.pem", keyfile=tmp_path / "CP2.key")


def test_nothing_is_replaced_without_being_told_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certs", str(tmp_path), "--client", "CP1"]) == 0
    before = (tmp_path / "CP1.key").read_bytes()
    assert main(["certs", str(tmp_path), "--client", "CP1"]) == 1
    assert "CP1.pem is there already; --force replaces it" in capsys.readouterr().err
    assert (tmp_path / "CP1.key").read_bytes() == before
    assert main(["certs", str(tmp_path), "--client", "CP1", "--force"]) == 0
    assert (tmp_path / "CP1.key").read_bytes() != before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--client", "a/b"], "'/'"),
        (["--client", "../x"], "'/'"),
        (["--client", "ca"], "names of other files"),
        (["--client", ".."], "names of other files"),
        (["--client", "x" * 65], "common name"),
        (["--days", "0"], "--days is from 1"),
    ],
)
def test_wrong_arguments(tmp_path: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certs", str(tmp_path), *arguments]) == 1
    assert message in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **named: Any) -> Any:
        if name == "cryptography":
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    assert main(["certs", str(tmp_path)]) == 1
    assert "ocpp-sync[certs]" in capsys.readouterr().err

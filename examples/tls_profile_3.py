"""Security profile 3: TLS with a certificate on both sides. It registers, asks about a card, and says how the link is secured.

ocpp-sync certs tls --client CP1                         a test CA, and a certificate for the charge point CP1
ocpp-sync serve --tls tls --client-ca tls/ca.pem         a CSMS, in another terminal
python3 examples/tls_profile_3.py wss://localhost:9220 CP1 tls

The certificate must name the identity, else the CSMS refuses it. The key file should be readable by this program's user alone.
"""

import sys
from pathlib import Path

from ocpp_sync import CertificateError, HandshakeError, OcppClient


def main(url: str, identity: str, folder: str) -> None:
    """Connect, register, ask, and leave."""
    tls = Path(folder)
    try:
        client = OcppClient(identity, cafile=tls / "ca.pem", certfile=tls / f"{identity}.pem", keyfile=tls / f"{identity}.key")
        client.connect(url, boot={"reason": "PowerUp", "chargingStation": {"vendorName": "eParking", "model": "NECU-T2"}})
    except CertificateError as error:  # a file is missing, or is no certificate, or the key belongs to another one
        sys.exit(f"{error.file}: {error.problem}")
    except HandshakeError as error:
        sys.exit(f"{error.reason}: {error} (security event: {error.security_event})")
    with client:
        answer = client.call("Authorize", {"idToken": {"idToken": "DEADBEEF", "type": "ISO14443"}})
        print(f"{identity} at {url} with OCPP {client.version}: the card is {answer['idTokenInfo']['status']}")


if __name__ == "__main__":
    main(*sys.argv[1:])

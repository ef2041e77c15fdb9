"""Security profile 2: TLS, and a password. It registers, asks about a card, and says how the link is secured.

ocpp-sync certs tls                                      a test CA (pip install 'ocpp-sync[certs]')
ocpp-sync passwd passwords.txt CP1                       asks for a password of 16 characters or more
ocpp-sync serve --tls tls --passwords passwords.txt      a CSMS, in another terminal
python3 examples/tls_profile_2.py wss://localhost:9220 CP1 tls

The password comes from the variable OCPP_PASSWORD, or is asked for: a command line can be read by every user of the machine.
"""

import os
import sys
from getpass import getpass
from pathlib import Path

from ocpp_sync import CertificateError, HandshakeError, OcppClient


def main(url: str, identity: str, folder: str) -> None:
    """Connect, register, ask, and leave."""
    password = os.environ.get("OCPP_PASSWORD") or getpass()
    try:
        client = OcppClient(identity, password=password, cafile=Path(folder, "ca.pem"))  # trusts that CA alone
        client.connect(url, boot={"reason": "PowerUp", "chargingStation": {"vendorName": "eParking", "model": "NECU-T2"}})
    except CertificateError as error:  # the file is missing, or is no certificate
        sys.exit(f"{error.file}: {error.problem}")
    except HandshakeError as error:  # a word, as "unauthorized" or "unknown-ca", and what OCPP calls it, if it does
        sys.exit(f"{error.reason}: {error} (security event: {error.security_event})")
    with client:
        answer = client.call("Authorize", {"idToken": {"idToken": "DEADBEEF", "type": "ISO14443"}})
        print(f"{identity} at {url} with OCPP {client.version}: the card is {answer['idTokenInfo']['status']}")


if __name__ == "__main__":
    main(*sys.argv[1:])

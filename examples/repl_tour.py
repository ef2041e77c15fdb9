"""A tour of what one would try at a prompt, each line with what it gives: to read, and to copy from.

ocpp-sync serve                                              a CSMS, in another terminal
python3 examples/repl_tour.py ws://localhost:9220 CP1
python3 -i examples/repl_tour.py ws://localhost:9220 CP1     and go on from there: client.connect(url)

`ocpp-sync repl ws://localhost:9220 CP1` is a prompt with all of this at hand.
"""

import code
import sys

TOUR = """
from ocpp_sync import OcppClient, describe, skeleton, utcnow
client = OcppClient(identity, version="1.6")
client.connect(url)
client.actions
skeleton("BootNotification", version="1.6")
print(describe("StatusNotification", version="1.6"))
client.boot({"chargePointVendor": "eParking", "chargePointModel": "NECU-T2"})["status"]
client.api.Authorize(idTag="DEADBEEF")
client.call("Authorise", {"idTag": "DEADBEEF"})
client.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Chargin"})
client.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Charging"})
answer = client.on("Reset", lambda request: {"status": "Accepted"})
started = client.api.StartTransaction(connectorId=1, idTag="DEADBEEF", meterStart=0, timestamp=utcnow())
client.api.StopTransaction(transactionId=started["transactionId"], meterStop=1200, timestamp=utcnow())
client.stats["calls"]
client.close()
"""


class Tour(code.InteractiveInterpreter):
    """A Python prompt that types by itself, and of an error shows what it says."""

    def showtraceback(self) -> None:
        """Print the error's last line."""
        error = sys.exc_info()[1]
        print(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    url, identity = sys.argv[1:]
    tour = Tour(names := {"url": url, "identity": identity})
    for line in TOUR.strip().splitlines():
        print(">>>", line)
        tour.runsource(line)
    client = names.get("client")  # for python3 -i

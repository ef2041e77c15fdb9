"""A web application beside a CSMS for tests: POST /chargers/CP1/reset resets a charger (pip install flask).

python3 examples/flask_route.py 9220 8080                  instead of ocpp-sync serve; then, in other terminals
ocpp-sync simulate ws://localhost:9220 CP1
curl localhost:8080/chargers
curl -X POST localhost:8080/chargers/CP1/reset

It listens for everybody as a charger, but only for this machine as a web application, since whoever reaches that may command.
"""

import sys
from contextlib import suppress

from flask import Flask
from flask.typing import ResponseReturnValue
from werkzeug.serving import make_server

from ocpp_sync import CallError, CallTimeout, ConnectionClosed, OcppServer
from ocpp_sync.csms import Csms


def create_app(server: OcppServer, csms: Csms) -> Flask:
    """The routes; each request runs on a thread of its own, and may wait for a charger."""
    app = Flask(__name__)

    @app.get("/chargers")
    def chargers() -> ResponseReturnValue:
        return {name: {"connected": it.connected, "version": it.version} for name, it in csms.charge_points.items()}

    @app.post("/chargers/<identity>/reset")
    def reset(identity: str) -> ResponseReturnValue:
        try:
            charger = server[identity]
            kind = "Soft" if charger.version == "1.6" else "OnIdle"
            return charger.call("Reset", {"type": kind}, timeout=10)
        except KeyError:
            return {"error": f"{identity} is not connected"}, 404
        except CallError as error:  # the charger has refused
            return {"error": error.code, "description": error.description}, 502
        except (CallTimeout, ConnectionClosed) as error:
            return {"error": str(error)}, 504

    return app


def main(ocpp_port: str, web_port: str) -> None:
    """Serve both until Ctrl-C; port 0 is a free one."""
    with OcppServer() as server, Csms(server) as csms:
        server.listen(int(ocpp_port))
        web = make_server("127.0.0.1", int(web_port), create_app(server, csms), threaded=True)
        print(f"ws://localhost:{server.port} http://localhost:{web.port}", flush=True)
        with suppress(KeyboardInterrupt):
            web.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""WebSocket links over sockets: the only place that knows websocket-client and simple-websocket.

``stream`` is a socket that one thread reads while others write, ``link`` what a WebSocket link is to the rest of the package,
``client`` and ``server`` are the two libraries behind it.
"""

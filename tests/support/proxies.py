"""A forward proxy on loopback that lets https through, to wherever a test wants it to lead."""

import socket
from threading import Thread

from support.raw_server import Asked, Handler, Wire


def tunnel_to(port: int) -> Handler:
    """Return a proxy's handler: whatever host is asked for, it connects to *port* here."""

    def handler(asked: Asked, wire: Wire) -> None:
        assert asked.method == "CONNECT"
        with socket.create_connection(("127.0.0.1", port)) as target:
            wire.send(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = Thread(target=_pump, args=(target, wire.socket), daemon=True)
            back.start()
            _pump(wire.socket, target)
            back.join(5)

    return handler


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass

"""A CONNECT proxy that takes every host to one local port.

rclone's Box addresses are constants, so its traffic is brought here with HTTPS_PROXY. The proxy does not look inside:
TLS goes through to the server, whose certificate names the hosts.
"""

import socket
import threading

BUFFER_BYTES = 256 * 1024
REQUEST_BYTES_MAX = 16 * 1024


class ConnectProxy:
    """Listens on a free port of 127.0.0.1 until the `with` block ends; `hosts` records who was asked for."""

    def __init__(self, host: str, port: int):
        self.target = (host, port)
        self.hosts: set[str] = set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket):
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                piece = client.recv(4096)
                if not piece or len(head) > REQUEST_BYTES_MAX:
                    return
                head += piece
            method, address, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
            if method != "CONNECT":
                client.sendall(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
                return
            self.hosts.add(address)
            try:
                server = socket.create_connection(self.target, timeout=10)
            except OSError:
                client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                return
            with server:
                server.settimeout(None)
                for one in (client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                _pump(client, server)
                back.join()


def _pump(source: socket.socket, target: socket.socket):
    """Carries bytes one way until the source is done, then says so to the target."""
    try:
        while piece := source.recv(BUFFER_BYTES):
            target.sendall(piece)
    except OSError:
        pass
    finally:
        try:
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

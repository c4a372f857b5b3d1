"""HTTP written by hand over one TLS connection, for requests that no library would send."""

import json
import socket
import ssl
from urllib.parse import urlsplit

BOUNDARY = "story-boundary-7f3a"


class Wire:
    """One connection. Sends what it is told, byte for byte, and reads one answer."""

    def __init__(self, server, timeout_s: float = 30):
        address = urlsplit(server.url)
        self.prefix = address.path
        self.host = f"{address.hostname}:{address.port}"
        context = ssl.create_default_context(cafile=server.ca)
        plain = socket.create_connection((address.hostname, address.port), timeout=timeout_s)
        self.socket = context.wrap_socket(plain, server_hostname=address.hostname)
        self.reader = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.vanish()

    def send(self, content: bytes):
        self.socket.sendall(content)

    def head(self, method: str, path: str, token: str | None, headers: dict[str, str]):
        lines = [f"{method} {self.prefix}{path} HTTP/1.1", f"Host: {self.host}"]
        if token is not None:
            lines.append(f"Authorization: Bearer {token}")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def vanish(self):
        """Closes at once, without a word, as a client does that loses its network."""
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            self.reader.close()
            self.socket.close()
        except OSError:
            pass

    def answer(self) -> tuple[int, dict[str, str], bytes] | None:
        """Status, headers and body of the answer; nothing when the server closed without one."""
        try:
            first = self.reader.readline()
            if not first:
                return None
            assert first.startswith(b"HTTP/1.1 "), f"no answer of HTTP: {first[:100]!r}"
            status = int(first.split()[1])
            headers = {}
            while (line := self.reader.readline()) not in (b"\r\n", b"\n", b""):
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.strip().lower()] = value.strip()
            return status, headers, self.reader.read(int(headers.get("content-length", "0")))
        except OSError:
            return None


def multipart(parent: str, name: str, content: bytes, part: str = "file", attributes_last: bool = False) -> bytes:
    """The body of a multipart upload, between boundaries of `BOUNDARY`."""
    attributes = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="attributes"\r\n\r\n'
        + json.dumps({"name": name, "parent": {"id": parent}})
        + "\r\n"
    ).encode()
    file = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{part}"; filename="unused"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode() + content + b"\r\n"
    parts = [file, attributes] if attributes_last else [attributes, file]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def in_chunks(content: bytes, size: int = 1000) -> bytes:
    """The same bytes in chunked transfer coding, with its end."""
    pieces = (content[start : start + size] for start in range(0, len(content), size))
    return b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces) + b"0\r\n\r\n"


MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"

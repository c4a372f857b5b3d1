"""Stands before several nodes and gives every request to one of them, drawn at random: also those of one connection.

    spray.py URL_FILE DATA_DIR...

Binds a free port of 127.0.0.1 and writes its URL to URL_FILE, so that the nodes can be started with it as their public
URL. Begins to answer when there is a `ready.json` in each data directory, under the certificate of the first node. Bytes
go through as they are, heads and bodies, both ways at a time; only where a request and an answer end is looked at. What is
not clear goes to one node until somebody closes.

On SIGTERM it prints how many requests each node got, and ends with 0 if none got nothing.
"""

import asyncio
import json
import random
import signal
import socket
import ssl
import sys
from pathlib import Path
from urllib.parse import urlsplit

HEAD_BYTES_MAX = 1024 * 1024
PIECE_BYTES = 64 * 1024
READY_WITHIN_S = 120
# How long a client that was answered early may go on sending what nobody reads.
LINGER_S = 2.0


class Unclear(Exception):
    """It cannot be told where a message ends."""


class Node:
    """One node: where it is, how to trust it, and what it got."""

    def __init__(self, data: Path):
        said = json.loads((data / "ready.json").read_text())
        address = urlsplit(said["url"])
        self.name, self.host, self.port = data.name, address.hostname, address.port
        self.trust = ssl.create_default_context(cafile=said["ca_file"])
        self.requests = 0

    async def connect(self):
        return await asyncio.open_connection(self.host, self.port, ssl=self.trust, limit=HEAD_BYTES_MAX)


def fields(head: bytes) -> dict[str, list[str]]:
    """The header's fields, by their names in lower case."""
    found: dict[str, list[str]] = {}
    for line in head.decode("latin-1").split("\r\n")[1:]:
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.lower(), []).append(value.strip())
    return found


def framing(found: dict[str, list[str]], without: int | str) -> int | str:
    """How a body ends: after so many bytes, `chunked`, or as `without` says when nothing is said."""
    lengths, codings = found.get("content-length", []), found.get("transfer-encoding", [])
    if codings == ["chunked"] and not lengths:
        return "chunked"
    if not codings and len(lengths) == 1 and lengths[0].isdecimal():
        return int(lengths[0])
    if codings or lengths:
        raise Unclear
    return without


def closes(found: dict[str, list[str]]) -> bool:
    return any("close" in value.lower() for value in found.get("connection", []))


class Sender:
    """Writes what it is given. It can be held up: what a node has answered early is read before it is sent more."""

    def __init__(self, writer):
        self.writer = writer
        self.gate = asyncio.Event()
        self.gate.set()

    def write(self, content: bytes) -> None:
        self.writer.write(content)

    async def drain(self) -> None:
        await self.writer.drain()
        await self.gate.wait()


async def copy(reader, writer, count: int) -> None:
    # Nothing is waited for behind the last piece: whoever has written it is done.
    while count > 0:
        piece = await reader.read(min(count, PIECE_BYTES))
        if not piece:
            raise asyncio.IncompleteReadError(b"", count)
        count -= len(piece)
        writer.write(piece)
        if count > 0:
            await writer.drain()


async def copy_chunks(reader, writer) -> None:
    while True:
        line = await reader.readuntil(b"\n")
        writer.write(line)
        try:
            count = int(line.split(b";")[0].strip(), 16)
        except ValueError as wrong:
            raise Unclear from wrong
        if count == 0:
            break
        await copy(reader, writer, count + 2)
    while True:
        line = await reader.readuntil(b"\n")
        writer.write(line)
        if line.strip() == b"":
            return


async def copy_rest(reader, writer) -> None:
    while piece := await reader.read(PIECE_BYTES):
        writer.write(piece)
        await writer.drain()


async def copy_body(reader, writer, ends: int | str) -> None:
    """To the end of the body, or, when that cannot be told, until somebody closes."""
    try:
        if ends == "chunked":
            await copy_chunks(reader, writer)
        elif ends == "close":
            await copy_rest(reader, writer)
        else:
            await copy(reader, writer, ends)
    except Unclear:
        await writer.drain()
        await copy_rest(reader, writer)


async def copy_answer(reader, writer, method: bytes, sender: Sender) -> bool:
    """One answer, with those that only announce it. Answers whether both may go on."""
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.split(b" ", 2)[1] >= b"200":
            sender.gate.clear()
        writer.write(head)
        await writer.drain()
        status = int(head.split(b" ", 2)[1])
        if status >= 200:
            break
    found = fields(head)
    if method == b"HEAD" or status in (204, 304):
        ends = 0
    else:
        ends = framing(found, "close")
    await copy_body(reader, writer, ends)
    await writer.drain()
    return ends != "close" and not closes(found)


class Spray:
    def __init__(self, nodes: list[Node]):
        self.nodes = nodes

    async def client(self, reader, writer) -> None:
        try:
            while await self.request(reader, writer):
                pass
            writer.close()
        except (OSError, EOFError, Unclear, ValueError, asyncio.LimitOverrunError):
            # Whoever is on the other side is to see that it broke off.
            writer.transport.abort()

    async def request(self, reader, writer) -> bool:
        """One request and its answer. Answers whether another may follow."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return False
        node = random.choice(self.nodes)
        node.requests += 1
        found = fields(head)
        try:
            ends = framing(found, 0)
        except Unclear:
            ends = "close"
        there, back = await node.connect()
        back.write(head)
        await back.drain()
        sender = Sender(back)
        sending = asyncio.create_task(copy_body(reader, sender, ends))
        answering = asyncio.create_task(copy_answer(there, writer, head.split(b" ", 1)[0], sender))
        try:
            await asyncio.wait({sending, answering}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and sending.exception() is not None and (reader.at_eof() or reader.exception()):
                # The client is gone in the middle of its request. A node that is may have answered before.
                raise sending.exception()
            goes_on = await answering
            # A node that answered early takes the rest if it goes on.
            sender.gate.set()
            await asyncio.wait({sending}, timeout=LINGER_S)
            if not sending.done() or sending.exception() is not None:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
                await self.linger(reader)
                return False
            return goes_on and ends != "close" and not closes(found)
        finally:
            for task in (sending, answering):
                task.cancel()
            await asyncio.gather(sending, answering, return_exceptions=True)
            back.transport.abort()


    async def linger(self, reader) -> None:
        """Reads what the client still sends and nobody wants: it reads its answer behind that."""
        try:
            async with asyncio.timeout(LINGER_S):
                while await reader.read(PIECE_BYTES):
                    pass
        except (OSError, TimeoutError):
            pass


async def main(url_file: Path, folders: list[Path]) -> int:
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    url_file.write_text(f"https://127.0.0.1:{listener.getsockname()[1]}\n")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with asyncio.timeout(READY_WITHIN_S):
        while not all((folder / "ready.json").exists() for folder in folders):
            await asyncio.sleep(0.1)
    spray = Spray([Node(folder) for folder in folders])
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(folders[0] / "tls" / "server.pem", folders[0] / "tls" / "server-key.pem")
    server = await asyncio.start_server(spray.client, sock=listener, ssl=own, limit=HEAD_BYTES_MAX)
    await stop.wait()
    server.close()
    for node in spray.nodes:
        print(f"{node.name}: {node.requests} requests", flush=True)
    return 0 if all(node.requests > 0 for node in spray.nodes) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]), [Path(folder) for folder in sys.argv[2:]])))

#!/usr/bin/env python3
"""A client that never stops: it uploads files through the Box door, reads some of them back, and counts what fails.

    uploader.py URL TOKEN-FILE          e.g. uploader.py http://127.0.0.1:8080 token

Nothing but Python's standard library. Ends at SIGTERM (or Ctrl-C), reads everything back once more, and prints what it
came to. Exit status: 0 when nothing failed and every file came back as it was, 1 otherwise.
"""

import hashlib
import json
import os
import random
import signal
import sys
import time
import urllib.request

BOUNDARY = "entente-example-uploader"
SIZE_BYTES_MAX = 100_000
ANSWER_SECONDS_MAX = 60
READ_EVERY = 3
TELL_SECONDS = 5


class Client:
    def __init__(self, url: str, token: str):
        self.url = url.rstrip("/") + "/box"
        self.headers = {"authorization": f"Bearer {token}"}

    def ask(self, request: urllib.request.Request) -> bytes:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS_MAX) as answer:
            return answer.read()

    def upload(self, name: str, content: bytes) -> str:
        attributes = json.dumps({"name": name, "parent": {"id": "0"}})
        parts = [
            f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="attributes"\r\n\r\n{attributes}\r\n',
            f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="file"\r\n\r\n',
        ]
        body = "".join(parts).encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
        headers = {**self.headers, "content-type": f"multipart/form-data; boundary={BOUNDARY}"}
        request = urllib.request.Request(f"{self.url}/upload/2.0/files/content", body, headers)
        return json.loads(self.ask(request))["entries"][0]["id"]

    def download(self, file: str) -> bytes:
        # The redirect is followed, as any client does.
        return self.ask(urllib.request.Request(f"{self.url}/2.0/files/{file}/content", headers=self.headers))


def main() -> int:
    with open(sys.argv[2]) as token:
        client = Client(sys.argv[1], token.read().strip())
    stops = []
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stops.append(True))
    run, known, reads, failures = os.urandom(4).hex(), [], 0, []
    told = time.monotonic()

    def read(file: str, digest: str) -> None:
        if hashlib.sha256(client.download(file)).hexdigest() != digest:
            raise ValueError(f"file {file} came back with other bytes")

    while not stops:
        try:
            content = os.urandom(random.randint(1, SIZE_BYTES_MAX))
            file = client.upload(f"tour-{run}-{len(known)}-{len(failures)}.bin", content)
            known.append((file, hashlib.sha256(content).hexdigest()))
            if len(known) % READ_EVERY == 0:
                read(*random.choice(known))
                reads += 1
        except (OSError, ValueError, KeyError) as failure:
            failures.append(str(failure))
            time.sleep(0.1)
        if time.monotonic() - told > TELL_SECONDS:
            told = time.monotonic()
            print(f"  client: {len(known)} files uploaded, {reads} read back, {len(failures)} failures", flush=True)
    for file, digest in known:
        try:
            read(file, digest)
        except (OSError, ValueError) as failure:
            failures.append(str(failure))
    print(f"  client: {len(known)} files uploaded, {reads} read back meanwhile and all of them at the end,", end=" ")
    print(f"{len(failures)} failures", *failures[:3], flush=True)
    return 1 if failures or not known else 0


if __name__ == "__main__":
    sys.exit(main())

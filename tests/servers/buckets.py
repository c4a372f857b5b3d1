"""Buckets, containers and databases: new ones for scripts, and the removal of those that dead tests left behind."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import secrets
import subprocess
import time
from email.utils import formatdate

ANSWER_SECONDS_MAX = 30
AZURE_VERSION = "2021-12-02"
# What tests make tells their process: see `fresh_name` in crates/emulators.
OF_A_TEST = re.compile(r"^t(\d+)x[0-9a-z]{16}$")


class Refused(Exception):
    """A server refused what it must not refuse."""


def mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def ask(endpoint: dict, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", endpoint["port"], timeout=ANSWER_SECONDS_MAX)
    try:
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        said = answer.read()
    except (OSError, http.client.HTTPException) as trouble:
        raise Refused(f"{method} {target}: {trouble}") from trouble
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        raise Refused(f"{method} {target}: status {answer.status}: {said.decode(errors='replace')}")
    return said


def ask_s3(endpoint: dict, method: str, path: str) -> bytes:
    """Signed with version 4, <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>."""
    date_time = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    body_hash = hashlib.sha256(b"").hexdigest()
    headers = {"host": f"127.0.0.1:{endpoint['port']}", "x-amz-content-sha256": body_hash, "x-amz-date": date_time}
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical = f"{method}\n{path}\n\n{lines}\n{names}\n{body_hash}"
    parts = [date_time[:8], endpoint["region"], "s3", "aws4_request"]
    scope = "/".join(parts)
    key = f"AWS4{endpoint['secret_key']}".encode()
    for part in parts:
        key = mac(key, part)
    to_sign = f"AWS4-HMAC-SHA256\n{date_time}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    who = f"Credential={endpoint['access_key']}/{scope},SignedHeaders={names},Signature={mac(key, to_sign).hex()}"
    return ask(endpoint, method, path, {**headers, "authorization": f"AWS4-HMAC-SHA256 {who}"})


def make_container(endpoint: dict, name: str) -> None:
    """Signed as <https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key> wants it."""
    account = endpoint["account"]
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": AZURE_VERSION}
    lines = "".join(f"{header}:{value}\n" for header, value in headers.items())
    # The signature knows the account twice: as the owner, and as the first part of the path.
    to_sign = "PUT" + "\n" * 12 + lines + f"/{account}/{account}/{name}\nrestype:container"
    signature = base64.b64encode(mac(base64.b64decode(endpoint["key"]), to_sign)).decode()
    target = f"/{account}/{name}?restype=container"
    ask(endpoint, "PUT", target, {**headers, "authorization": f"SharedKey {account}:{signature}"})


def select(endpoint: dict, statement: str) -> list[str]:
    """What a statement of the superuser selects, a line for each row."""
    command = [f"{endpoint['programs']}/psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]
    where = ["--host=127.0.0.1", f"--port={endpoint['port']}", f"--username={endpoint['user']}", "--dbname=postgres"]
    environment = {**os.environ, "PGPASSWORD": endpoint["password"]}
    ran = subprocess.run(
        [*command, *where, "--set=ON_ERROR_STOP=1", f"--command={statement}"],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ran.returncode != 0:
        raise Refused(f"{statement}: {ran.stderr.strip()}")
    return ran.stdout.split()


def fresh(endpoints: dict) -> dict[str, dict[str, str]]:
    """A new bucket, container and database; they stay until the servers stop."""
    name = f"k{secrets.token_hex(8)}"
    ask_s3(endpoints["s3"], "PUT", f"/{name}")
    make_container(endpoints["azure"], name)
    body = json.dumps({"name": name}).encode()
    ask(endpoints["gcs"], "POST", "/storage/v1/b?project=tests", {"content-type": "application/json"}, body)
    select(endpoints["postgres"], f"CREATE DATABASE {name}")
    database_url = endpoints["postgres"]["url"].removesuffix("/postgres") + f"/{name}"
    made = {"s3": {"bucket": name}, "azure": {"container": name}, "gcs": {"bucket": name}}
    return {**made, "postgres": {"database_url": database_url}}


def left_behind(name: str) -> bool:
    """Whether that is the name of something that belonged to a test whose process has ended."""
    of_a_test = OF_A_TEST.match(name)
    if not of_a_test:
        return False
    try:
        os.kill(int(of_a_test[1]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False


def sweep(endpoints: dict) -> int:
    """Removes what dead tests left where each costs memory (buckets on SeaweedFS) or much of the disk (databases)."""
    swept = 0
    for bucket in re.findall("<Name>([^<]*)</Name>", ask_s3(endpoints["s3"], "GET", "/").decode()):
        if left_behind(bucket):
            ask_s3(endpoints["s3"], "DELETE", f"/{bucket}")
            swept += 1
    for database in select(endpoints["postgres"], "SELECT datname FROM pg_database"):
        if left_behind(database):
            select(endpoints["postgres"], f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
            swept += 1
    return swept

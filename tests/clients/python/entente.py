"""The running server as the stories see it: its addresses, and the `entente` program for what an operator does."""

import json
import os
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

import requests
from box_sdk_gen import (
    BaseUrls,
    BoxCCGAuth,
    BoxClient,
    BoxDeveloperTokenAuth,
    BoxRetryStrategy,
    CCGConfig,
    NetworkSession,
)


@dataclass(frozen=True)
class App:
    """What `entente app create --json` says of a new application."""

    client_id: str
    client_secret: str
    enterprise_id: str
    public_key_id: str | None
    service_account_user_id: str | None


@dataclass(frozen=True)
class Server:
    """One running `entente serve`, reached at `url` (the Box door) over TLS that `ca` vouches for."""

    url: str
    ca: str
    program: str
    data: str

    @staticmethod
    def from_environment() -> "Server":
        return Server(
            url=os.environ["ENTENTE_URL"].rstrip("/"),
            ca=os.environ["ENTENTE_CA"],
            program=os.environ["ENTENTE_BIN"],
            data=os.environ["ENTENTE_DATA"],
        )

    @property
    def upload_url(self) -> str:
        return f"{self.url}/upload"

    @property
    def origin(self) -> str:
        """Scheme, host and port without the door's path."""
        return "/".join(self.url.split("/")[:3])

    def base_urls(self) -> BaseUrls:
        return BaseUrls(base_url=self.url, upload_url=self.upload_url, oauth_2_url=f"{self.url}/oauth2")

    def run(self, *arguments: str) -> str:
        """Runs one verb of the program on the server's data directory, and returns what it printed."""
        done = subprocess.run(
            [self.program, *arguments, "--data", self.data],
            capture_output=True,
            text=True,
            timeout=60,
        )
        if done.returncode != 0:
            raise AssertionError(f"entente {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout.strip()

    def new_login(self, word: str) -> str:
        """Makes a user nobody else uses, and returns the login."""
        login = f"{word}-{uuid.uuid4().hex[:8]}@example.com"
        self.run("user", "create", "--login", login, "--name", f"Story {word}")
        return login

    def token(self, login: str) -> str:
        return self.run("token", "issue", "--login", login)

    def new_app(self, name: str, public_key: Path | None = None) -> App:
        arguments = ["app", "create", "--name", name, "--json"]
        if public_key is not None:
            arguments += ["--public-key", str(public_key)]
        said = json.loads(self.run(*arguments))
        return App(
            client_id=said["client_id"],
            client_secret=said["client_secret"],
            enterprise_id=said["enterprise_id"],
            public_key_id=said.get("public_key_id"),
            service_account_user_id=said.get("service_account_user_id"),
        )

    def network_session(self, attempts: int = 1) -> NetworkSession:
        """A session that fails fast: a story wants the first answer, not the fifth."""
        return NetworkSession(
            base_urls=self.base_urls(),
            retry_strategy=BoxRetryStrategy(max_attempts=attempts, retry_base_interval=0, max_retries_on_exception=0),
        )

    def client(self, token: str) -> BoxClient:
        return BoxClient(auth=BoxDeveloperTokenAuth(token=token), network_session=self.network_session())

    def client_of_app(self, app: App, attempts: int = 1, **subject: str) -> BoxClient:
        """A client that asks for its own tokens with client credentials, for `enterprise_id=` or `user_id=`."""
        auth = BoxCCGAuth(CCGConfig(client_id=app.client_id, client_secret=app.client_secret, **subject))
        return BoxClient(auth=auth, network_session=self.network_session(attempts))

    def raw(self, token: str | None) -> "Raw":
        return Raw(self, token)


class Raw:
    """Plain HTTP to the Box door: what a client other than the SDKs could send."""

    def __init__(self, server: Server, token: str | None):
        self.server = server
        self.session = requests.Session()
        self.session.verify = server.ca
        self.session.trust_env = False
        if token is not None:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, path: str, **options) -> requests.Response:
        """Sends one request to `path` below the door (`/2.0/...`); redirects are not followed."""
        options.setdefault("allow_redirects", False)
        options.setdefault("timeout", 60)
        url = path if path.startswith("http") else self.server.url + path
        return self.session.request(method, url, **options)

    def upload(self, parent: str, name: str, content: bytes, part: str = "file", **options) -> requests.Response:
        form = [
            ("attributes", (None, json.dumps({"name": name, "parent": {"id": parent}}))),
            (part, (name.encode("ascii", "replace").decode(), content, "application/octet-stream")),
        ]
        return self.ask("POST", "/upload/2.0/files/content", files=form, **options)

"""Fixtures of all stories. The server is started by scripts/client-tests.sh; see ../README.md."""

import itertools
import os
import re

import pytest

from entente import Server

NEEDED = ("ENTENTE_URL", "ENTENTE_CA", "ENTENTE_BIN", "ENTENTE_DATA")
numbers = itertools.count(1)


def pytest_configure(config):
    missing = [name for name in NEEDED if name not in os.environ]
    if missing and not config.option.collectonly:
        raise pytest.UsageError(f"set {', '.join(missing)}, or run scripts/client-tests.sh")
    # What the SDK's own HTTP library reads to trust a private authority.
    os.environ["REQUESTS_CA_BUNDLE"] = os.environ.get("ENTENTE_CA", "")


@pytest.fixture(scope="session")
def server():
    return Server.from_environment()


@pytest.fixture(scope="session")
def login(server):
    return server.new_login("python")


@pytest.fixture(scope="session")
def token(server, login):
    return server.token(login)


@pytest.fixture(scope="session")
def client(server, token):
    return server.client(token)


@pytest.fixture(scope="session")
def raw(server, token):
    return server.raw(token)


@pytest.fixture
def folder(client, request):
    """A fresh folder in the user's root, for this story alone."""
    from box_sdk_gen import CreateFolderParent

    word = re.sub(r"[^A-Za-z0-9]+", "-", request.node.name)[:80].strip("-")
    return client.folders.create_folder(f"{next(numbers):03}-{word}", CreateFolderParent(id="0"))


@pytest.fixture(scope="session", autouse=True)
def watched():
    """Compares what stories are answered with Box's description, where there is a copy of it."""
    from test_contract import FOUND, Contract
    from watch import Watch, install

    if FOUND is None:
        return None
    watch = Watch(Contract(FOUND))
    install(watch)
    return watch

"""Letters: who is given a role is written to, into a folder or by SMTP to a relay that runs here."""

import datetime
import email
import email.policy
import json
import os
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from box_sdk_gen import (
    CreateCollaborationAccessibleBy,
    CreateCollaborationAccessibleByTypeField,
    CreateCollaborationItem,
    CreateCollaborationItemTypeField,
    CreateCollaborationRole,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from entente import Server
from kit import new_folder

WAIT_SECONDS = 60
PASSWORD = "a password of the relay"


def invite(client, folder, login, **options):
    return client.user_collaborations.create_collaboration(
        CreateCollaborationItem(type=CreateCollaborationItemTypeField.FOLDER, id=folder.id),
        CreateCollaborationAccessibleBy(type=CreateCollaborationAccessibleByTypeField.USER, login=login),
        CreateCollaborationRole.EDITOR,
        **options,
    )


def until(found, what: str):
    end = time.monotonic() + WAIT_SECONDS
    while not (is_so := found()):
        assert time.monotonic() < end, f"{what} has not come to be"
        time.sleep(0.05)
    return is_so


def letters(folder: Path, to: str) -> list[email.message.EmailMessage]:
    read = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in sorted(folder.glob("*.eml"))]
    return [letter for letter in read if to in letter["To"]]


@pytest.fixture(scope="module")
def mail(server) -> Path:
    """Where scripts/client-tests.sh has letters put."""
    return Path(server.data).parent / "mail"


def test_a_colleague_is_told_of_what_is_shared(server, client, folder, mail, login):
    other = server.new_login("reader")
    invite(client, folder, other)
    [letter] = until(lambda: letters(mail, other), "the letter")
    assert folder.name[:20] in letter["Subject"] and "shares" in letter["Subject"]
    assert letter["Auto-Submitted"] == "auto-generated"
    text = letter.get_content()
    assert login in text and f"“{folder.name}”" in text and "as editor" in text


def test_whoever_has_no_account_is_invited(client, folder, mail):
    address = f"nobody-{time.time_ns()}@elsewhere.example"
    role = invite(client, folder, address)
    assert role.status == "pending"
    [letter] = until(lambda: letters(mail, address), "the letter")
    assert "invites you" in letter["Subject"]
    assert "You have no account there yet" in letter.get_content()


def test_names_begin_no_headers(client, mail, folder):
    address = f"names-{time.time_ns()}@elsewhere.example"
    shared = new_folder(client, folder.id, "a Bcc: all@example.com ünïcödé “name”")
    invite(client, shared, address)
    [letter] = until(lambda: letters(mail, address), "the letter")
    assert letter["Bcc"] is None
    assert shared.name in letter["Subject"]


def test_who_is_not_to_be_told_is_not(server, client, folder, mail):
    quiet, told = server.new_login("quiet"), server.new_login("told")
    invite(client, folder, quiet, notify=False)
    invite(client, folder, told)
    until(lambda: letters(mail, told), "the letter")
    assert letters(mail, quiet) == []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Relay:
    """An SMTP server that remembers what it took, and may be told to refuse."""

    def __init__(self, certificate: tuple[Path, Path] | None):
        self.taken: list[tuple[str, email.message.EmailMessage]] = []
        self.refusals: list[str] = []
        self.tried = 0
        context = None
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
        options = {"tls_context": context, "require_starttls": True, "auth_required": True} if context else {}
        self.controller = Controller(
            self,
            hostname="127.0.0.1",
            port=free_port(),
            authenticator=lambda _s, _c, _e, mechanism, data: AuthResult(
                success=isinstance(data, LoginPassword) and data == LoginPassword(b"entente", PASSWORD.encode())
            ),
            **options,
        )
        self.controller.start()
        self.port = self.controller.port

    async def handle_DATA(self, _server, _session, envelope):
        self.tried += 1
        if self.refusals:
            return self.refusals.pop(0)
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.taken += [(to, letter) for to in envelope.rcpt_tos]
        return "250 OK"

    def to(self, address: str):
        return [letter for to, letter in self.taken if to == address]


def signed(name: str, issuer: str, key, by, **extensions) -> x509.Certificate:
    def named(text):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
    )
    for extension in extensions.values():
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(by, hashes.SHA256())


def certified(folder: Path) -> tuple[Path, tuple[Path, Path]]:
    """An authority; and a certificate of its for this machine, with its key."""
    own, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = signed("authority", "authority", own, own, ca=x509.BasicConstraints(ca=True, path_length=0))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    certificate = signed("relay", "authority", key, own, names=names)
    authority_file, certificate_file, key_file = folder / "ca.pem", folder / "relay.pem", folder / "relay.key"
    authority_file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return authority_file, (certificate_file, key_file)


class Site:
    """A server of its own that gives its letters to a relay."""

    def __init__(self, program: str, folder: Path, section: str, **environment):
        self.data = folder / "data"
        self.log = open(folder / "log", "wb")
        config = folder / "entente.toml"
        config.write_text(f'[mail]\nfrom = "Entente <files@example.com>"\n{section}\n')
        command = [program, "serve", "--config", str(config), "--data", str(self.data), "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=self.log, env={**os.environ, **environment}
        )
        ready = until(self.ready, "the server")
        self.server = Server(url=f"{ready['url']}/box", ca="", program=program, data=str(self.data))
        self.client = self.server.client(self.server.token(self.server.new_login("writer")))

    def ready(self):
        assert self.process.poll() is None, (Path(self.log.name)).read_text()
        path = self.data / "ready.json"
        return json.loads(path.read_text()) if path.exists() else None

    def close(self):
        self.process.terminate()
        assert self.process.wait(60) == 0


def test_a_relay_takes_letters_over_tls_from_whom_it_knows(server, tmp_path):
    authority, certificate = certified(tmp_path)
    relay = Relay(certificate)
    section = f'host = "localhost"\nport = {relay.port}\nuser = "entente"\npassword_env = "RELAY_PASSWORD"'
    site = Site(server.program, tmp_path, section, RELAY_PASSWORD=PASSWORD, SSL_CERT_FILE=str(authority))
    # For once it has no time: the letter is not lost.
    relay.refusals = ["451 Not now"]
    folder = new_folder(site.client, "0", "shared")
    invite(site.client, folder, "anna@elsewhere.example")
    [letter] = until(lambda: relay.to("anna@elsewhere.example"), "the letter")
    assert relay.tried == 2
    assert letter["From"] == "Entente <files@example.com>"
    assert "“shared”" in letter["Subject"]
    # What it never takes is not tried for ever, and is in the way of nothing.
    relay.refusals = ["550 Never"]
    invite(site.client, folder, "bad@elsewhere.example")
    until(lambda: not relay.refusals, "the refusal")
    invite(site.client, folder, "ben@elsewhere.example")
    until(lambda: relay.to("ben@elsewhere.example"), "the other letter")
    assert relay.to("bad@elsewhere.example") == []
    assert site.server.client(site.server.token("admin@entente.local")).users.get_user_me().id
    site.close()
    relay.controller.stop()


def test_nothing_is_sent_in_the_clear_unless_the_operator_says_so(server, tmp_path):
    relay = Relay(None)
    site = Site(server.program, tmp_path, f'host = "localhost"\nport = {relay.port}')
    folder = new_folder(site.client, "0", "shared")
    invite(site.client, folder, "anna@elsewhere.example")
    time.sleep(3)
    assert (relay.tried, relay.taken) == (0, [])
    site.close()
    again = tmp_path / "plain"
    again.mkdir()
    plain = Site(server.program, again, f'host = "localhost"\nport = {relay.port}\nsecurity = "none"')
    invite(plain.client, new_folder(plain.client, "0", "shared"), "anna@elsewhere.example")
    until(lambda: relay.to("anna@elsewhere.example"), "the letter")
    plain.close()
    relay.controller.stop()

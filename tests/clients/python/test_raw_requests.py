"""Requests that are wrong: what is answered, and that it is never a server error."""

import json
import time
import uuid

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from kit import new_folder, upload
from wire import Wire


def is_error(answer, status: int, code: str | None = None):
    assert answer.status_code == status, f"expected {status}, got {answer.status_code}: {answer.text[:500]}"
    said = answer.json()
    assert answer.headers["Content-Type"].startswith("application/json")
    assert said["type"] == "error"
    assert said["status"] == status
    for field in ("code", "message", "help_url", "request_id"):
        assert isinstance(said[field], str) and said[field], field
    assert isinstance(said.get("context_info") or {}, dict)
    if code is not None:
        assert said["code"] == code, said


def test_the_error_body(raw):
    is_error(raw.ask("GET", "/2.0/files/999999999999"), 404, "not_found")
    first = raw.ask("GET", "/2.0/files/999999999999").json()["request_id"]
    assert raw.ask("GET", "/2.0/files/999999999999").json()["request_id"] != first


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer made-up"}, {"Authorization": "Bearer"}, {"Authorization": "Basic dXNlcjpwYXNz"},
     {"Authorization": "Bearer " + "x" * 5000}, {"Authorization": "Bearer \u00e9"}],
    ids=["none", "made up", "empty", "basic", "long", "not ascii"],
)
@pytest.mark.parametrize("path", ["/2.0/users/me", "/2.0/folders/0/items", "/2.0/files/1/content"])
def test_without_a_valid_token(server, headers, path):
    headers = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = server.raw(None).ask("GET", path, headers=headers)
    is_error(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_token_says_so(server):
    app = server.new_app("raw revocation")
    raw = server.raw(None)
    form = {
        "grant_type": "client_credentials",
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "box_subject_type": "enterprise",
        "box_subject_id": app.enterprise_id,
    }
    granted = raw.ask("POST", "/oauth2/token", data=form)
    assert granted.status_code == 200, granted.text
    said = granted.json()
    assert said["token_type"] == "bearer"
    assert 0 < said["expires_in"] <= 24 * 3600
    assert said["restricted_to"] == []
    acting = server.raw(said["access_token"])
    assert acting.ask("GET", "/2.0/users/me").status_code == 200
    revoked = raw.ask(
        "POST",
        "/oauth2/revoke",
        data={"client_id": app.client_id, "client_secret": app.client_secret, "token": said["access_token"]},
    )
    assert revoked.status_code == 200
    assert revoked.content == b""
    answer = acting.ask("GET", "/2.0/users/me")
    is_error(answer, 401)
    assert "invalid_token" in answer.headers["WWW-Authenticate"] or "expired_token" in answer.headers["WWW-Authenticate"]


def test_an_expired_token_says_so(server, login):
    raw = server.raw(server.run("token", "issue", "--login", login, "--expires", "1s"))
    deadline = time.monotonic() + 30
    while (answer := raw.ask("GET", "/2.0/users/me")).status_code == 200 and time.monotonic() < deadline:
        pass
    is_error(answer, 401)
    assert "expired_token" in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "form, errors",
    [
        ({}, ("invalid_request", "unsupported_grant_type")),
        ({"grant_type": "password"}, ("unsupported_grant_type",)),
        ({"grant_type": "client_credentials"}, ("invalid_client", "invalid_request")),
        ({"grant_type": "client_credentials", "client_id": "x", "client_secret": "y",
          "box_subject_type": "enterprise", "box_subject_id": "1"}, ("invalid_client",)),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "client_id": "x", "client_secret": "y",
          "assertion": "a.b.c"}, ("invalid_client", "invalid_grant")),
        ({"grant_type": "refresh_token", "refresh_token": "x", "client_id": "x", "client_secret": "y"},
         ("invalid_client", "invalid_grant", "unsupported_grant_type")),
    ],
)
def test_token_requests_that_are_refused(server, form, errors):
    answer = server.raw(None).ask("POST", "/oauth2/token", data=form)
    assert answer.status_code == 400, answer.text
    said = answer.json()
    assert said["error"] in errors
    assert said["error_description"]
    assert "type" not in said


def signed(app, key, **changes) -> dict:
    claims = {
        "iss": app.client_id,
        "sub": app.enterprise_id,
        "box_sub_type": "enterprise",
        "aud": "https://api.box.com/oauth2/token",
        "jti": uuid.uuid4().hex,
        "exp": int(time.time()) + 30,
    }
    algorithm = changes.pop("algorithm", "RS256")
    kid = changes.pop("kid", app.public_key_id)
    claims.update(changes)
    claims = {name: value for name, value in claims.items() if value is not None}
    return {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "assertion": jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid} if kid else None),
    }


def test_assertions(server, tmp_path):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (tmp_path / "public.pem").write_bytes(public)
    app = server.new_app("raw assertions", public_key=tmp_path / "public.pem")
    raw = server.raw(None)

    def ask(form):
        return raw.ask("POST", "/oauth2/token", data=form)

    for algorithm in ("RS256", "RS384", "RS512"):
        granted = ask(signed(app, key, algorithm=algorithm))
        assert granted.status_code == 200, granted.text
        assert server.raw(granted.json()["access_token"]).ask("GET", "/2.0/users/me").status_code == 200
    # The Node SDK names no key.
    assert ask(signed(app, key, kid=None)).status_code == 200

    once = signed(app, key)
    assert ask(once).status_code == 200
    refused = [
        once,
        signed(app, key, aud="https://elsewhere.example.com/"),
        signed(app, key, aud=None),
        signed(app, key, exp=1_000_000_000),
        signed(app, key, exp=None),
        signed(app, key, iss="someone else"),
        signed(app, key, sub="999999999999"),
        signed(app, key, box_sub_type="robot"),
        signed(app, "secret" * 8, algorithm="HS256"),
        signed(app, "", algorithm="none"),
    ]
    for form in refused:
        answer = ask(form)
        assert answer.status_code == 400, f"{form['assertion']}: {answer.text}"
        assert answer.json()["error"] in ("invalid_grant", "invalid_client", "invalid_request", "unauthorized_client")


UNKNOWN = [
    ("GET", "/"),
    ("GET", "/2.0"),
    ("GET", "/2.0/"),
    ("GET", "/2.0/nonsense"),
    ("GET", "/2.0/folders"),
    ("PATCH", "/2.0/folders/0"),
    ("DELETE", "/2.0/folders"),
    ("POST", "/2.0/users/me"),
    ("PUT", "/2.0/files/content"),
    ("GET", "/2.0/files/1/nonsense"),
    ("GET", "/2.0/sign_requests"),
    ("GET", "/2.0/comments/1"),
    ("POST", "/2.0/ai/ask"),
    ("GET", "/2.0/zip_downloads"),
    ("GET", "/2.0/retention_policies"),
    ("GET", "/3.0/files/1"),
    ("GET", "/oauth2/token"),
    ("GET", "/2.0/folders/0/items/"),
    ("GET", "/2.0//folders/0"),
    ("GET", "/2.0/folders/%00"),
    ("GET", "/2.0/folders/%ff"),
    ("GET", "/2.0/folders/..%2f..%2fetc"),
    ("GET", "/2.0/files/-1"),
    ("GET", "/2.0/files/99999999999999999999999999999999"),
    ("GET", "/2.0/files/0x10"),
    ("GET", "/2.0/files/1.5"),
    ("GET", "/2.0/files/١"),
]


@pytest.mark.parametrize("method, path", UNKNOWN)
def test_what_is_not_served_is_not_a_server_error(raw, method, path):
    answer = raw.ask(method, path)
    if (method, path) in {("GET", "/2.0/folders/0/items/"), ("GET", "/2.0//folders/0")}:
        assert answer.status_code in (200, 404, 405)
        return
    assert answer.status_code in (400, 404, 405), f"{answer.status_code}: {answer.text[:300]}"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"7", b'{"name":', b"\xff\xfe", b'{"name":"x"}',
                                  b'{"parent":{"id":"0"}}', b'{"name":null,"parent":{"id":"0"}}',
                                  b'{"name":["x"],"parent":{"id":"0"}}', b'{"name":"x","parent":null}',
                                  b'{"name":"x","parent":{"id":[]}}', b"[" * 100_000, b'{"name":"\\ud800","parent":{"id":"0"}}'],
                         ids=lambda body: repr(body[:40]))
def test_bodies_that_make_no_folder(raw, body):
    answer = raw.ask("POST", "/2.0/folders", data=body, headers={"Content-Type": "application/json"})
    is_error(answer, 400)


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff", b'{"parent":"0"}', b'{"name":7}', b'{"tags":"x"}',
                                  b'{"description":{}}', b'{"parent":{"id":"abc"}}'], ids=repr)
def test_bodies_that_change_no_file(raw, client, folder, body):
    file = upload(client, folder.id, "file.txt", b"x")
    answer = raw.ask("PUT", f"/2.0/files/{file.id}", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 404), answer.text
    assert answer.json()["type"] == "error"
    after = client.files.get_file_by_id(file.id)
    assert (after.name, after.etag, after.description) == ("file.txt", file.etag, "")


def test_a_body_that_is_too_large(raw):
    huge = json.dumps({"name": "x", "parent": {"id": "0"}, "padding": "x" * 20_000_000})
    try:
        answer = raw.ask("POST", "/2.0/folders", data=huge, headers={"Content-Type": "application/json"})
    except requests.exceptions.ConnectionError:
        return
    assert answer.status_code in (400, 413), answer.text[:300]


@pytest.mark.parametrize("path", ["/2.0/files/content", "/2.0/files/content/"])
def test_preflight_with_and_without_a_slash(raw, client, folder, path):
    free = {"name": "free.txt", "size": 10, "parent": {"id": folder.id}}
    answer = raw.ask("OPTIONS", path, json=free)
    assert answer.status_code == 200, answer.text
    assert answer.json()["upload_url"].startswith("https://")
    taken = upload(client, folder.id, "taken.txt", b"x")
    answer = raw.ask("OPTIONS", path, json={**free, "name": "taken.txt"})
    is_error(answer, 409, "item_name_in_use")
    conflict = answer.json()["context_info"]["conflicts"]
    assert conflict["id"] == taken.id
    assert conflict["type"] == "file"
    is_error(raw.ask("OPTIONS", path, json={**free, "size": -1}), 400)
    is_error(raw.ask("OPTIONS", path, json={**free, "size": "many"}), 400)
    is_error(raw.ask("OPTIONS", path, data=b"{", headers={"Content-Type": "application/json"}), 400)


def test_preflight_without_a_token(server):
    is_error(server.raw(None).ask("OPTIONS", "/2.0/files/content", json={"name": "x", "parent": {"id": "0"}}), 401)


def test_queries_that_are_wrong(raw, folder):
    items = f"/2.0/folders/{folder.id}/items"
    for query in ("usemarker=true&marker=nonsense", "usemarker=true&marker=%00", "usemarker=true&marker=" + "x" * 4000):
        is_error(raw.ask("GET", f"{items}?{query}"), 400)
    for query in ("fields=", "fields=,", "fields=nonsense", "fields=name,name,nonsense", "unknown=1", "limit=0", "fields=%ff"):
        answer = raw.ask("GET", f"{items}?{query}")
        assert answer.status_code in (200, 400), f"{query}: {answer.text}"


def test_the_trash_refuses_mixed_paging(raw):
    for query in ("usemarker=true&offset=1", "usemarker=true&sort=name", "marker=abc"):
        is_error(raw.ask("GET", f"/2.0/folders/trash/items?{query}"), 400)


def test_header_and_path_oddities(server, token):
    for head in (
        b"GET /box/2.0/users/me HTTP/1.1\r\n\r\n",
        b"GET /box/2.0/users/me HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET /box/2.0/users/me HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"NONSENSE\r\n\r\n",
        b"\x16\x03\x01\x00\x00",
        b"GET " + b"/" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /box/2.0/users/me HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
    ):
        with Wire(server) as wire:
            try:
                wire.send(head)
                wire.socket.settimeout(2)
                answer = wire.answer()
            except OSError:
                answer = None
            assert answer is None or 400 <= answer[0] < 500, head[:80]
    assert server.raw(token).ask("GET", "/2.0/users/me").status_code == 200


def test_a_connection_serves_many_requests(server, token):
    with Wire(server) as wire:
        for _ in range(20):
            wire.head("GET", "/2.0/users/me", token, {})
            status, _, body = wire.answer()
            assert status == 200
            assert json.loads(body)["type"] == "user"


def test_a_head_request(server, token, raw, client, folder):
    file = upload(client, folder.id, "file.txt", b"x")
    answer = raw.ask("HEAD", f"/2.0/files/{file.id}")
    assert answer.status_code == 200
    assert answer.content == b""


def test_by_host_name(server, token, folder):
    """The door answers by the vendor's host names, without its own path prefix."""
    session = requests.Session()
    session.verify = server.ca
    session.headers["Authorization"] = f"Bearer {token}"
    origin = server.origin

    def ask(method, host, path, **options):
        headers = {"Host": host, **options.pop("headers", {})}
        return session.request(method, origin + path, headers=headers, timeout=60, allow_redirects=False, **options)

    assert ask("GET", "api.box.com", "/2.0/users/me").status_code == 200
    form = [
        ("attributes", (None, json.dumps({"name": "by host.txt", "parent": {"id": folder.id}}))),
        ("file", ("x", b"by host")),
    ]
    stored = ask("POST", "upload.box.com", "/api/2.0/files/content", files=form)
    assert stored.status_code == 201, stored.text
    file = stored.json()["entries"][0]
    answer = ask("GET", "api.box.com", f"/2.0/files/{file['id']}/content")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("https://")


def test_restoring_with_and_without_a_body(raw, client, folder):
    for options in ({}, {"json": {}}, {"json": {"name": None, "parent": None}}, {"headers": {"Content-Type": "application/json"}}):
        file = upload(client, folder.id, "file.txt", b"x")
        client.files.delete_file_by_id(file.id)
        answer = raw.ask("POST", f"/2.0/files/{file.id}", **options)
        assert answer.status_code == 201, f"{options}: {answer.text}"
        client.files.delete_file_by_id(file.id)


def test_nulls_in_updates_change_nothing(raw, client, folder):
    inner = new_folder(client, folder.id, "inner")
    answer = raw.ask("PUT", f"/2.0/folders/{inner.id}", json={"name": None, "parent": None, "description": None})
    assert answer.status_code == 200, answer.text
    assert answer.json()["name"] == "inner"
    assert answer.json()["parent"]["id"] == folder.id

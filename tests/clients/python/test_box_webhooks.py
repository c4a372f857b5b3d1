"""Webhooks: made with the SDK, told to a receiver here, and checked by the SDK's own hand."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from box_sdk_gen import (
    CreateWebhookTarget,
    CreateWebhookTargetTypeField,
    CreateWebhookTriggers,
    UpdateWebhookByIdTriggers,
    WebhooksManager,
)

from kit import new_folder, refused, upload

UPLOADED = CreateWebhookTriggers.FILE_UPLOADED
TRASHED = CreateWebhookTriggers.FILE_TRASHED
DENIED = "access_denied_insufficient_permissions"
WAIT_SECONDS = 60


class Receiver:
    """Remembers what arrives at each path; answers 200, or first as often 500 as a story wants."""

    def __init__(self):
        self.arrived: dict[str, list[tuple[str, dict]]] = {}
        self.failures: dict[str, int] = {}
        self.news = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                with receiver.news:
                    receiver.arrived.setdefault(self.path, []).append((body, headers))
                    left = receiver.failures.get(self.path, 0)
                    receiver.failures[self.path] = max(0, left - 1)
                    receiver.news.notify_all()
                self.send_response(500 if left else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}{path}"

    def wait(self, path: str, count: int) -> list[tuple[str, dict]]:
        end = time.monotonic() + WAIT_SECONDS
        with self.news:
            while len(self.arrived.get(path, [])) < count:
                left = end - time.monotonic()
                assert left > 0, f"{len(self.arrived.get(path, []))} of {count} have arrived at {path}"
                self.news.wait(left)
            return list(self.arrived[path])


@pytest.fixture(scope="module")
def receiver():
    return Receiver()


@pytest.fixture(scope="module")
def app(server):
    return server.new_app("Hooks")


@pytest.fixture(scope="module")
def keys(server, app):
    def rotate(place):
        said = server.run("app", "rotate-signature-key", "--app", app.client_id, "--key", place, "--json")
        return json.loads(said)["signature_key"]

    return rotate("primary"), rotate("secondary")


@pytest.fixture(scope="module")
def me(client):
    return client.users.get_user_me()


@pytest.fixture(scope="module")
def hooked(server, app, me):
    """The stories' own user, through an application."""
    return server.client_of_app(app, user_id=me.id)


def of_folder(folder) -> CreateWebhookTarget:
    return CreateWebhookTarget(id=folder.id, type=CreateWebhookTargetTypeField.FOLDER)


def test_a_webhook_is_made_shown_listed_changed_and_removed(hooked, folder, me):
    made = hooked.webhooks.create_webhook(of_folder(folder), "https://hooks.example.com/told", [UPLOADED, TRASHED])
    assert (made.target.id, made.target.type) == (folder.id, "folder")
    assert (made.address, made.created_by.id) == ("https://hooks.example.com/told", me.id)
    assert [str(getattr(one, "value", one)) for one in made.triggers] == ["FILE.UPLOADED", "FILE.TRASHED"]
    shown = hooked.webhooks.get_webhook_by_id(made.id)
    assert (shown.id, shown.address, shown.created_at) == (made.id, made.address, made.created_at)
    changed = hooked.webhooks.update_webhook_by_id(
        made.id, address="https://other.example.com/", triggers=[UpdateWebhookByIdTriggers.FILE_LOCKED]
    )
    assert changed.address == "https://other.example.com/"
    assert [str(getattr(one, "value", one)) for one in changed.triggers] == ["FILE.LOCKED"]
    assert made.id in [one.id for one in hooked.webhooks.get_webhooks().entries]
    hooked.webhooks.delete_webhook_by_id(made.id)
    assert made.id not in [one.id for one in hooked.webhooks.get_webhooks().entries]
    for ask in (hooked.webhooks.get_webhook_by_id, hooked.webhooks.delete_webhook_by_id):
        with refused(404, "not_found"):
            ask(made.id)


def test_lists_go_on_at_their_markers(hooked, folder):
    made = []
    for number in range(3):
        below = new_folder(hooked, folder.id, f"folder {number}")
        made.append(hooked.webhooks.create_webhook(of_folder(below), "https://hooks.example.com/", [UPLOADED]).id)
    found, marker = [], None
    while True:
        page = hooked.webhooks.get_webhooks(marker=marker, limit=1)
        found += [one.id for one in page.entries]
        marker = page.next_marker
        if not marker:
            break
    assert [one for one in found if one in made] == made
    with refused(400, "bad_request"):
        hooked.webhooks.get_webhooks(marker="nothing")
    for one in made:
        hooked.webhooks.delete_webhook_by_id(one)


def test_what_is_no_webhook_is_refused(hooked, client, server, app, folder):
    target = of_folder(folder)
    made = hooked.webhooks.create_webhook(target, "https://hooks.example.com/", [UPLOADED])
    with refused(409, "conflict"):
        hooked.webhooks.create_webhook(target, "https://other.example.com/", [TRASHED])
    for address in ("ftp://hooks.example.com/", "hooks.example.com", ""):
        with refused(400, "bad_request"):
            hooked.webhooks.update_webhook_by_id(made.id, address=address)
    with refused(404, "not_found"):
        hooked.webhooks.create_webhook(CreateWebhookTarget(id="0", type="folder"), "https://a.example/", [UPLOADED])
    with refused(404, "not_found"):
        hooked.webhooks.create_webhook(CreateWebhookTarget(id="17", type="file"), "https://a.example/", [UPLOADED])
    with refused(403, DENIED):
        client.webhooks.create_webhook(target, "https://hooks.example.com/", [UPLOADED])
    stranger = server.client_of_app(app, user_id=server.client(server.token(server.new_login("hooks"))).users.get_user_me().id)
    with refused(404, "not_found"):
        stranger.webhooks.create_webhook(target, "https://hooks.example.com/", [UPLOADED])
    for ask in (stranger.webhooks.get_webhook_by_id, stranger.webhooks.delete_webhook_by_id):
        with refused(404, "not_found"):
            ask(made.id)
    assert stranger.webhooks.get_webhooks().entries == []
    hooked.webhooks.delete_webhook_by_id(made.id)


def test_what_happens_is_told_and_the_sdk_believes_it(hooked, client, folder, receiver, keys, me):
    primary, secondary = keys
    hook = hooked.webhooks.create_webhook(of_folder(folder), receiver.url("/told"), [UPLOADED, TRASHED])
    below = new_folder(client, folder.id, "below")
    file = upload(client, below.id, "größe \" 1.txt", b"content")
    [(body, headers)] = receiver.wait("/told", 1)
    told = json.loads(body)
    assert (told["type"], told["trigger"]) == ("webhook_event", "FILE.UPLOADED")
    assert told["webhook"] == {"id": hook.id, "type": "webhook"}
    assert (told["source"]["type"], told["source"]["id"], told["source"]["name"]) == ("file", file.id, file.name)
    assert told["source"]["parent"]["id"] == below.id
    assert told["created_by"]["id"] == me.id
    assert WebhooksManager.validate_message(body, headers, primary, secondary_key=secondary)
    assert WebhooksManager.validate_message(body, headers, primary)
    assert WebhooksManager.validate_message(body, headers, "an old key", secondary_key=secondary)
    assert not WebhooksManager.validate_message(body, headers, "another key", secondary_key="and another")
    assert not WebhooksManager.validate_message(body + " ", headers, primary, secondary_key=secondary)
    old = {**headers, "box-delivery-timestamp": "2020-01-01T00:00:00+00:00"}
    assert not WebhooksManager.validate_message(body, old, primary, secondary_key=secondary)
    client.files.delete_file_by_id(file.id)
    body, headers = receiver.wait("/told", 2)[1]
    told = json.loads(body)
    assert (told["trigger"], told["source"]["item_status"]) == ("FILE.TRASHED", "trashed")
    hooked.webhooks.delete_webhook_by_id(hook.id)
    upload(client, folder.id, "untold.txt", b"x")
    time.sleep(1)
    assert len(receiver.arrived["/told"]) == 2


def test_what_does_not_arrive_is_told_again_in_its_order(hooked, client, folder, receiver, keys):
    receiver.failures["/again"] = 2
    hook = hooked.webhooks.create_webhook(of_folder(folder), receiver.url("/again"), [UPLOADED])
    file = upload(client, folder.id, "file.txt", b"1")
    arrived = receiver.wait("/again", 3)
    assert len({headers["box-delivery-id"] for _, headers in arrived}) == 1
    assert all(json.loads(body)["source"]["id"] == file.id for body, _ in arrived)
    assert all(WebhooksManager.validate_message(body, headers, keys[0]) for body, headers in arrived)
    hooked.webhooks.delete_webhook_by_id(hook.id)


def test_whoever_is_shut_out_is_told_no_more(server, app, client, folder, receiver):
    guest = server.client(server.token(server.new_login("guest"))).users.get_user_me()
    theirs = server.client_of_app(app, user_id=guest.id)
    from box_sdk_gen import (
        CreateCollaborationAccessibleBy,
        CreateCollaborationAccessibleByTypeField,
        CreateCollaborationItem,
        CreateCollaborationItemTypeField,
        CreateCollaborationRole,
    )

    role = client.user_collaborations.create_collaboration(
        CreateCollaborationItem(type=CreateCollaborationItemTypeField.FOLDER, id=folder.id),
        CreateCollaborationAccessibleBy(type=CreateCollaborationAccessibleByTypeField.USER, id=guest.id),
        CreateCollaborationRole.VIEWER,
    )
    hook = theirs.webhooks.create_webhook(of_folder(folder), receiver.url("/guest"), [UPLOADED])
    upload(client, folder.id, "shared.txt", b"1")
    receiver.wait("/guest", 1)
    client.user_collaborations.delete_collaboration_by_id(role.id)
    upload(client, folder.id, "not shared.txt", b"2")
    time.sleep(2)
    assert len(receiver.arrived["/guest"]) == 1
    theirs.webhooks.delete_webhook_by_id(hook.id)

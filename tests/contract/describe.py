"""Writes the description of the operations that the Box door serves, for Schemathesis, and fills a server for it.

    describe.py DESCRIPTION COVERAGE URL TOKEN OUT

DESCRIPTION is Box's OpenAPI description, COVERAGE the page that says which of its operations are served. The ids of paths
are narrowed to those of things that are there, of which there are many, since some requests remove them.
"""

import json
import re
import sys
import urllib.request
import uuid
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "clients/python"))
from described import strict

# Of each kind; a run removes some of them.
MANY = 24
# Signing in has a description of its own, and requests of other forms.
LEFT_OUT = ("/oauth2/", "/authorize")


class Filler:
    def __init__(self, url: str, token: str):
        self.url, self.token = url, token

    def ask(self, method: str, path: str, body=None, kind="application/json"):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data, headers, method=method)) as answer:
            return json.load(answer)

    def upload(self, name: str, parent: str, content: bytes) -> str:
        mark = uuid.uuid4().hex
        attributes = json.dumps({"name": name, "parent": {"id": parent}})
        parts = [
            f'--{mark}\r\nContent-Disposition: form-data; name="attributes"\r\n\r\n{attributes}\r\n'.encode(),
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'.encode() + content + b"\r\n",
            f"--{mark}--\r\n".encode(),
        ]
        kind = f"multipart/form-data; boundary={mark}"
        return self.ask("POST", "/upload/2.0/files/content", b"".join(parts), kind)["entries"][0]["id"]

    def fill(self) -> dict[str, list[str]]:
        """Ids by the names of the parameters of paths."""
        found: dict[str, list[str]] = {}

        def note(name: str, made) -> str:
            found.setdefault(name, []).append(str(made["id"] if isinstance(made, dict) else made))
            return found[name][-1]

        me = self.ask("GET", "/2.0/users/me")["id"]
        for number in range(MANY):
            folder = note("folder_id", self.ask("POST", "/2.0/folders", {"name": f"folder {number}", "parent": {"id": "0"}}))
            file = note("file_id", self.upload(f"file {number}.txt", folder, b"content" * number))
            said = {"message": "said", "item": {"type": "file", "id": file}}
            note("comment_id", self.ask("POST", "/2.0/comments", said))
            task = note("task_id", self.ask("POST", "/2.0/tasks", {"item": {"type": "file", "id": file}}))
            asked = {"task": {"type": "task", "id": task}, "assign_to": {"id": me}}
            note("task_assignment_id", self.ask("POST", "/2.0/task_assignments", asked))
            below = self.ask("POST", "/2.0/folders", {"name": "locked", "parent": {"id": folder}})["id"]
            lock = {"folder": {"type": "folder", "id": below}}
            note("folder_lock_id", self.ask("POST", "/2.0/folder_locks", lock))
            request = {"folder": {"type": "folder", "id": folder}, "title": f"request {number}"}
            note("file_request_id", self.ask("POST", "/2.0/file_requests", request))
            link = {"url": "https://example.com", "name": f"link {number}", "parent": {"id": folder}}
            note("web_link_id", self.ask("POST", "/2.0/web_links", link))
            user = note("user_id", self.ask("POST", "/2.0/users", {"name": f"User {number}", "login": f"u{number}@example.com"}))
            group = note("group_id", self.ask("POST", "/2.0/groups", {"name": f"group {number}"}))
            member = {"user": {"id": user}, "group": {"id": group}}
            note("group_membership_id", self.ask("POST", "/2.0/group_memberships", member))
            given = {
                "item": {"type": "folder", "id": folder},
                "accessible_by": {"type": "user", "id": user},
                "role": "editor",
            }
            note("collaboration_id", self.ask("POST", "/2.0/collaborations", given))
            size = {"folder_id": folder, "file_name": f"large {number}", "file_size": 30_000_000}
            note("upload_session_id", self.ask("POST", "/upload/2.0/files/upload_sessions", size))
        return found


def narrowed(operation: dict, ids: dict[str, list[str]]) -> None:
    # Of what is in the trash the description asks for members that `fields` may leave out.
    if operation["operationId"] in ("get_files_id_trash", "get_folders_id_trash"):
        operation["parameters"] = [one for one in operation["parameters"] if one["name"] != "fields"]
    for parameter in operation.get("parameters", []):
        if parameter.get("in") == "header":
            # Others are no HTTP, and end before any door.
            parameter["schema"] = {"type": "string", "pattern": "^[!-~]([ -~]*[!-~])?$"}
        known = ids.get(parameter.get("name"))
        if parameter.get("in") == "path" and known:
            parameter["schema"] = {"type": "string", "enum": [*known, "12"]}
            parameter.pop("example", None)


def inline(operation: dict) -> None:
    """The schemas that stand in an operation itself."""
    bodies = [operation.get("requestBody", {}), *operation.get("responses", {}).values()]
    for content in (one for body in bodies for one in body.get("content", {}).values()):
        content["schema"] = strict(content.get("schema", {}))
    for parameter in operation.get("parameters", []):
        parameter["schema"] = strict(parameter.get("schema", {}))


def main() -> None:
    description, coverage, url, token, out = sys.argv[1:]
    ids = Filler(url, token).fill()
    with open(coverage, encoding="utf-8") as page:
        served = set(re.findall(r"^- \[x\] `[A-Z]+ [^`]+` \(([^)]+)\)$", page.read(), re.MULTILINE))
    with open(description, encoding="utf-8") as source:
        said = json.load(source)
    kept: dict[str, dict] = {}
    for path, operations in said["paths"].items():
        # A fragment tells apart what is one operation on the wire.
        if "#" in path or path.startswith(LEFT_OUT):
            continue
        for method, operation in operations.items():
            if operation.get("operationId") not in served:
                continue
            # What goes to Box's host for uploads goes to another path of this one.
            uploads = any("upload.box" in server["url"] for server in operation.pop("servers", []))
            if uploads:
                operation["servers"] = [{"url": f"{url}/upload/2.0"}]
            operation.pop("security", None)
            narrowed(operation, ids)
            kept.setdefault(path, {})[method] = operation
    said["paths"] = kept
    said["servers"] = [{"url": f"{url}/2.0"}]
    said.pop("security", None)
    # As the other stories read it. What is JSON Schema is OpenAPI 3.1.
    said["openapi"] = "3.1.0"
    said["components"]["schemas"] = {name: strict(one) for name, one in said["components"]["schemas"].items()}
    for operations in kept.values():
        for operation in operations.values():
            inline(operation)
    # Nobody's login is empty, as at Box: a root is made by nobody.
    for name in ("User--Mini", "User"):
        for part in (said["components"]["schemas"][name], *said["components"]["schemas"][name].get("allOf", [])):
            part.get("properties", {}).get("login", {}).pop("format", None)
    # Pictures are PNG or JPEG; the description says only the one, or calls the other what it is not called (RFC 2046, 4.2).
    for path in ("/users/{user_id}/avatar", "/files/{file_id}/thumbnail.{extension}"):
        picture = kept.get(path, {}).get("get")
        for kind in ("image/png", "image/jpeg") if picture is not None else ():
            picture["responses"]["200"]["content"][kind] = {"schema": {"type": "string", "format": "binary"}}
    with open(out, "w", encoding="utf-8") as written:
        json.dump(said, written)
    print(f"{sum(len(operations) for operations in kept.values())} operations, {sum(map(len, ids.values()))} things")


main()

"""Every answer that a story gets from the Box door, by whatever client, against Box's own OpenAPI description."""

import re
from urllib.parse import urlsplit

import requests

PREFIX = re.compile(r"^/box(?:/upload(?:/api|\.box\.com/api)?)?(?:/2\.0(/.*)|(/oauth2/token))$")
# One operation on the wire, and not told apart by the answer.
REFRESH = "/oauth2/token#refresh"


class Watch:
    """Notes which operations have answered as they are described, and the answers that are not as described."""

    def __init__(self, contract):
        self.contract = contract
        self.operations = []
        for path in contract.description["paths"]:
            # A fragment tells apart what is one operation on the wire.
            pattern = re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path.split("#")[0]))
            self.operations.append((path.count("{"), re.compile(f"^{pattern}$"), path))
        # A word in its place says more than a parameter does.
        self.operations.sort(key=lambda one: one[0])
        self.well: set[str] = set()
        self.faults: dict[str, str] = {}

    def see(self, method: str, url: str, answer: requests.Response, body=None) -> None:
        found = PREFIX.match(urlsplit(url).path)
        if found is None or answer.status_code >= 400:
            return
        asked = found[1] or found[2]
        fits = [(count, path) for count, pattern, path in self.operations if pattern.match(asked)]
        if b"grant_type=refresh_token" not in (body.encode() if isinstance(body, str) else body or b""):
            fits = [(count, path) for count, path in fits if path != REFRESH]
        fits = [(count, path) for count, path in fits if method.lower() in self.contract.description["paths"][path]]
        said = {path: self.fault(method, path, answer) for count, path in fits if count == fits[0][0]}
        fitting = [path for path, fault in said.items() if not fault]
        self.well.update(f"{method} {path}" for path in fitting)
        # Of what is one operation on the wire, one description is enough.
        if not fitting:
            self.faults |= {f"{method} {path} {answer.status_code}": fault for path, fault in said.items()}

    def fault(self, method: str, path: str, answer: requests.Response) -> str:
        """What is not as described; nothing, if all is."""
        responses = self.contract.description["paths"][path][method.lower()]["responses"]
        described = responses.get(str(answer.status_code))
        if described is None:
            # A few are told of with another success than every client takes for one.
            described = next((one for status, one in responses.items() if status.startswith("2")), {})
        content = described.get("content", {}).get("application/json")
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        if content is not None and is_json:
            faults = list(self.contract.validator(content["schema"]).iter_errors(answer.json()))
            for fault in faults:
                return f"{'.'.join(map(str, fault.absolute_path))}: {fault.message[:300]}"
        return ""


def install(watch: Watch) -> None:
    """Has the HTTP library under every client of these stories show its answers."""
    send = requests.Session.send

    def seen(self, request, **options):
        answer = send(self, request, **options)
        watch.see(request.method, request.url, answer, request.body if "/oauth2/token" in request.url else None)
        return answer

    requests.Session.send = seen

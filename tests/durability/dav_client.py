"""WebDAV over plain HTTP, asked once, with its errors sorted as in client.py."""

from dataclasses import dataclass, field
from typing import Iterator
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree

import requests
import urllib3

from client import NoAnswer, answered
from s3_client import break_off

DAV, OWNCLOUD, OURS = "{DAV:}", "{http://owncloud.org/ns}", "{urn:entente:kill}"
PROPERTIES = ("colour", "mood")
ASKED = f"""<?xml version="1.0" encoding="utf-8"?>
<D:propfind xmlns:D="DAV:" xmlns:o="{OWNCLOUD[1:-1]}" xmlns:k="{OURS[1:-1]}"><D:prop>
<D:getetag/><D:getcontentlength/><D:resourcetype/><D:getlastmodified/><D:lockdiscovery/><o:checksums/>
{"".join(f"<k:{name}/>" for name in PROPERTIES)}</D:prop></D:propfind>"""
LOCK = """<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype>
<D:owner>kill test</D:owner></D:lockinfo>"""
PIECE = 64 * 1024


@dataclass(frozen=True)
class Resource:
    """What PROPFIND says of something. Empty is what it does not say."""

    is_collection: bool
    etag: str
    size: int
    sha1: str
    modified: str
    lock: str
    properties: dict[str, str] = field(default_factory=dict)


class Dav:
    """A client of the WebDAV door. Paths are those below the user's root. Not for use by several threads at a time."""

    def __init__(self, url: str, token: str, seconds_max: float = 60):
        self.base, self.seconds_max = f"{url}/dav", seconds_max
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, path: str, wanted: tuple[int, ...], content=None, **headers: str) -> requests.Response:
        """Headers have `_` for `-`."""
        said = {name.replace("_", "-"): value for name, value in headers.items() if value}
        try:
            answer = self.session.request(
                method, self.url(path), data=content, headers=said, timeout=self.seconds_max, allow_redirects=False
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise NoAnswer(f"{type(error).__name__}: {error}") from None
        if answer.status_code not in wanted:
            raise answered(f"{method} {path!r}", answer.status_code, {"raw": answer.text[:1000]})
        return answer

    def url(self, path: str) -> str:
        return f"{self.base}/{quote(path)}"

    def put(
        self, path: str, content: bytes, is_chunked: bool = False, token: str = "", modified: str = ""
    ) -> requests.Response:
        """Under a lock with its token; `modified` in seconds since 1970."""
        body = in_pieces(content) if is_chunked else content
        held = f"({in_angles(token)})" if token else ""
        return self.ask("PUT", path, (201, 204), body, If=held, X_OC_Mtime=modified)

    def download(self, path: str, wanted: str = "") -> requests.Response:
        return self.ask("GET", path, (206,) if wanted else (200,), Range=wanted)

    def make_collection(self, path: str) -> None:
        self.ask("MKCOL", path, (201,))

    def move(self, path: str, to: str, replaces: bool) -> None:
        self.ask("MOVE", path, (201, 204), Destination=self.url(to), Overwrite="T" if replaces else "F")

    def copy(self, path: str, to: str, replaces: bool) -> None:
        self.ask("COPY", path, (201, 204), Destination=self.url(to), Overwrite="T" if replaces else "F")

    def delete(self, path: str) -> None:
        self.ask("DELETE", path, (204,))

    def set_property(self, path: str, name: str, value: str | None) -> None:
        """Sets a property of ours, or removes it."""
        what, held = ("remove", "") if value is None else ("set", value)
        body = (f'<D:propertyupdate xmlns:D="DAV:" xmlns:k="{OURS[1:-1]}"><D:{what}><D:prop>'
                f"<k:{name}>{held}</k:{name}></D:prop></D:{what}></D:propertyupdate>")
        answer = self.ask("PROPPATCH", path, (207,), body)
        if "HTTP/1.1 200" not in answer.text:
            raise answered(f"PROPPATCH {path!r}", 400, {"raw": answer.text[:1000]})

    def lock(self, path: str) -> str:
        """The token of a new exclusive lock."""
        answer = self.ask("LOCK", path, (200, 201), LOCK, Timeout="Second-3600")
        return answer.headers["Lock-Token"].strip("<>")

    def unlock(self, path: str, token: str) -> None:
        self.ask("UNLOCK", path, (204,), Lock_Token=in_angles(token))

    def cut_off(self, path: str, content: bytes, sent: int, is_chunked: bool) -> None:
        """A PUT that breaks off after so many bytes of its body."""
        headers = {"Authorization": self.session.headers["Authorization"]}
        body = content[:sent]
        if is_chunked:
            headers["Transfer-Encoding"] = "chunked"
            # A whole chunk, and no last one.
            body = f"{len(body):x}\r\n".encode() + body + b"\r\n" if body else b""
        else:
            headers["Content-Length"] = str(len(content))
        break_off(self.url(path), "PUT", headers, body)

    def tree(self, top: str) -> dict[str, Resource]:
        """Everything below a collection by its path from there."""
        answer = self.ask("PROPFIND", f"{top}/", (207,), ASKED, Depth="infinity")
        root = unquote(urlsplit(self.url(f"{top}/")).path)
        found = {}
        for response in ElementTree.fromstring(answer.content).iter(f"{DAV}response"):
            path = unquote(urlsplit(response.find(f"{DAV}href").text).path)
            # A file and a folder of one name may stand side by side: the slash tells them apart.
            found[path.removeprefix(root)] = read_resource(response)
        del found[""]
        return found


def read_resource(response: ElementTree.Element) -> Resource:
    said = {}
    for stat in response.iter(f"{DAV}propstat"):
        if " 200 " in stat.findtext(f"{DAV}status", ""):
            said.update({one.tag: one for one in stat.find(f"{DAV}prop")})
    checksums = "".join(said[f"{OWNCLOUD}checksums"].itertext()) if f"{OWNCLOUD}checksums" in said else ""
    sha1 = next((word.removeprefix("SHA1:") for word in checksums.split() if word.startswith("SHA1:")), "")
    token = said[f"{DAV}lockdiscovery"].find(f".//{DAV}locktoken/{DAV}href")
    length = said.get(f"{DAV}getcontentlength")
    return Resource(
        said[f"{DAV}resourcetype"].find(f"{DAV}collection") is not None,
        said[f"{DAV}getetag"].text,
        0 if length is None else int(length.text),
        sha1.lower(),
        said[f"{DAV}getlastmodified"].text,
        "" if token is None else token.text,
        {name: said[f"{OURS}{name}"].text or "" for name in PROPERTIES if f"{OURS}{name}" in said},
    )


def in_pieces(content: bytes) -> Iterator[bytes]:
    """Of unknown length: it goes out in chunks."""
    for start in range(0, len(content), PIECE):
        yield content[start : start + PIECE]


def in_angles(token: str) -> str:
    return f"<{token}>"

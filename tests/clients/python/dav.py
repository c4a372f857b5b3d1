"""What the WebDAV stories share: somebody with an app password, and rclone with a remote for them."""

import os
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """A user, what a program signs in with, and the URL of their root."""

    url: str
    login: str
    password: str

    @property
    def auth(self) -> tuple[str, str]:
        return (self.login, self.password)


def person(server, origin: str, word: str) -> Person:
    login = server.new_login(word)
    password = server.run("app-password", "create", "--login", login, "--label", word)
    return Person(url=f"{origin}/dav", login=login, password=password)


class Rclone:
    """rclone with remotes for one person: `nc:` as Nextcloud's, which has times and checksums, and `plain:`."""

    def __init__(self, who: Person, ca: str | None = None):
        obscured = subprocess.run(["rclone", "obscure", who.password], capture_output=True, check=True, text=True)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "LANG": "C.UTF-8",
            "RCLONE_CONFIG": "/dev/null",
            "RCLONE_RETRIES": "1",
            "RCLONE_LOW_LEVEL_RETRIES": "2",
            "RCLONE_TRANSFERS": "8",
            "RCLONE_CHECKERS": "8",
        }
        if ca is not None:
            self.environment["RCLONE_CA_CERT"] = ca
        for remote, vendor in [("NC", "nextcloud"), ("PLAIN", "other")]:
            self.environment |= {
                f"RCLONE_CONFIG_{remote}_TYPE": "webdav",
                f"RCLONE_CONFIG_{remote}_URL": who.url,
                f"RCLONE_CONFIG_{remote}_VENDOR": vendor,
                f"RCLONE_CONFIG_{remote}_USER": who.login,
                f"RCLONE_CONFIG_{remote}_PASS": obscured.stdout.strip(),
            }

    def __call__(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        done = subprocess.run(
            ["rclone", *arguments], env=self.environment, capture_output=True, timeout=600, input=stdin
        )
        if done.returncode != 0:
            said = done.stderr.decode()[-3000:]
            raise AssertionError(f"rclone {' '.join(arguments)} ended with {done.returncode}: {said}")
        return done.stdout

"""Power cuts without a switch: ext4 is told to stop as it stands, and mounted again from what is on its disk."""

import fcntl
import os
import struct
import subprocess
from pathlib import Path

# EXT4_IOC_SHUTDOWN of the kernel's fs/ext4/ext4.h: stop, and write nothing more, not even the journal.
SHUTDOWN = 0x8004587D
WITHOUT_JOURNAL = 2


class PowerCuts:
    """An ext4 image, mounted on a folder by the caller (scripts/kill-test.sh), whose power can be cut. Needs root."""

    def __init__(self, folder: Path):
        self.folder = folder
        # The loop device goes with the mount; the image behind it stays.
        device = said(["findmnt", "-no", "SOURCE", str(folder)])
        self.image = said(["losetup", "-nO", "BACK-FILE", device])

    def cut(self) -> None:
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", WITHOUT_JOURNAL))
        finally:
            os.close(folder)

    def restore(self) -> None:
        subprocess.run(["umount", self.folder], check=True)
        subprocess.run(["mount", "-o", MOUNTED, self.image, self.folder], check=True)


# The journal is written when somebody asks for it, not every five seconds: that would forgive what nobody asked for.
MOUNTED = "loop,commit=3600"


def said(words: list[str]) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()

"""Thumbnails: small pictures of files."""

import struct
import zlib

import pytest
import requests
from box_sdk_gen import CreateCollaborationAccessibleBy, CreateCollaborationAccessibleByTypeField, CreateCollaborationItem
from box_sdk_gen import CreateCollaborationItemTypeField, CreateCollaborationRole, GetFileThumbnailByIdExtension
from box_sdk_gen import UpdateFileWatermarkWatermark, UpdateFileWatermarkWatermarkImprintField

from kit import refused, upload

PNG, JPG = GetFileThumbnailByIdExtension.PNG, GetFileThumbnailByIdExtension.JPG


def png(width: int, height: int, pixels: bytes | None = None) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + b"\xc8\x10\x20" * width
    packed = zlib.compress(row * height if pixels is None else pixels)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def size(picture: bytes) -> tuple[int, int]:
    assert picture.startswith(b"\x89PNG"), picture[:20]
    return struct.unpack(">II", picture[16:24])


def test_of_an_image(client, folder):
    file = upload(client, folder.id, "red.png", png(600, 300))
    assert size(client.files.get_file_thumbnail_by_id(file.id, PNG).read()) == (256, 128)
    small = client.files.get_file_thumbnail_by_id(
        file.id, PNG, min_height=32, min_width=32, max_height=64, max_width=64
    )
    assert size(small.read()) == (64, 32)
    assert client.files.get_file_thumbnail_by_id(file.id, JPG).read().startswith(b"\xff\xd8\xff")
    with refused(400):
        client.files.get_file_thumbnail_by_id(file.id, PNG, min_height=300)


def test_of_what_has_none(client, server, folder):
    file = upload(client, folder.id, "letter.txt", b"dear reader")
    url = client.files.get_file_thumbnail_url(file.id, "png")
    assert url.startswith("https://")
    assert size(requests.get(url, verify=server.ca, timeout=60).content) == (64, 64)
    # The client goes there by itself.
    assert size(client.files.get_file_thumbnail_by_id(file.id, PNG).read()) == (64, 64)


def test_of_what_is_no_image_or_far_too_large(client, folder):
    whole = png(600, 300)
    for name, content in [("bomb.png", png(50_000, 50_000, b"\0" * 1_000_000)), ("torn.png", whole[: len(whole) // 2])]:
        file = upload(client, folder.id, name, content)
        with refused(404):
            client.files.get_file_thumbnail_by_id(file.id, PNG)


@pytest.fixture
def others(server, client, folder):
    viewer, stranger = (server.client(server.token(server.new_login(name))) for name in ("viewer", "stranger"))
    by = CreateCollaborationAccessibleBy(
        type=CreateCollaborationAccessibleByTypeField.USER, id=viewer.users.get_user_me().id
    )
    item = CreateCollaborationItem(type=CreateCollaborationItemTypeField.FOLDER, id=folder.id)
    client.user_collaborations.create_collaboration(item, by, CreateCollaborationRole.VIEWER)
    return viewer, stranger


def test_of_somebody_else(client, folder, others):
    viewer, stranger = others
    file = upload(client, folder.id, "red.png", png(600, 300))
    assert size(viewer.files.get_file_thumbnail_by_id(file.id, PNG).read()) == (256, 128)
    with refused(404):
        stranger.files.get_file_thumbnail_by_id(file.id, PNG)
    imprint = UpdateFileWatermarkWatermark(imprint=UpdateFileWatermarkWatermarkImprintField.DEFAULT)
    client.file_watermarks.update_file_watermark(file.id, imprint)
    marked = viewer.files.get_file_thumbnail_by_id(file.id, PNG).read()
    assert size(marked) == (256, 128) and marked != client.files.get_file_thumbnail_by_id(file.id, PNG).read()
    assert size(client.files.get_file_thumbnail_by_id(file.id, PNG).read()) == (256, 128)


def test_representations_are_listed_and_fetched(client, raw, folder):
    image = upload(client, folder.id, "image.png", png(400, 300))
    hints = "[jpg?dimensions=94x94&paged=false][png?dimensions=1024x1024][pdf]"
    shown = client.files.get_file_by_id(image.id, fields=["representations"], x_rep_hints=hints)
    small, large = shown.representations.entries
    assert (small.representation, small.properties.dimensions, small.properties.thumb) == ("jpg", "94x94", "true")
    assert (large.representation, large.properties.paged) == ("png", "false")
    assert raw.ask("GET", small.info.url).json()["status"]["state"] in ("success", "pending")
    picture = raw.ask("GET", small.content.url_template.replace("{+asset_path}", ""))
    assert picture.status_code == 200 and picture.content.startswith(b"\xff\xd8\xff")
    again = client.files.get_file_by_id(image.id, fields=["representations"], x_rep_hints="[jpg?dimensions=94x94]")
    # Each node keeps the pictures that it has made.
    assert again.representations.entries[0].status.state.value in ("success", "none")

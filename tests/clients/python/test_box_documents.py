"""Pictures, PDFs and texts of documents, which LibreOffice and poppler read; and watermarks on them."""

import time

import pytest
from box_sdk_gen import CreateCollaborationAccessibleBy, CreateCollaborationAccessibleByTypeField, CreateCollaborationItem
from box_sdk_gen import CreateCollaborationItemTypeField, CreateCollaborationRole
from box_sdk_gen import UpdateFileWatermarkWatermark, UpdateFileWatermarkWatermarkImprintField

from documents import docx, odp, pdf, rtf, xlsx
from kit import refused, upload
from test_box_thumbnails import JPG, PNG, size

IMPRINT = UpdateFileWatermarkWatermark(imprint=UpdateFileWatermarkWatermarkImprintField.DEFAULT)


def representation(client, raw, file: str, hints: str, asset: str = ""):
    """As the documentation has clients do it: ask for it, wait until it is made, fetch it."""
    shown = client.files.get_file_by_id(file, fields=["representations"], x_rep_hints=hints)
    (entry,) = shown.representations.entries
    for _ in range(60):
        state = raw.ask("GET", entry.info.url).json()["status"]["state"]
        if state == "success":
            break
        assert state == "pending"
        time.sleep(1)
    # On a node that has not made it this may take as long again.
    for _ in range(60):
        answer = raw.ask("GET", entry.content.url_template.replace("{+asset_path}", asset))
        if answer.status_code != 202:
            break
    return answer


def thumbnail(raw, file: str):
    """Once it is made: until then the answer says where the placeholder is."""
    answer = raw.ask("GET", f"/2.0/files/{file}/thumbnail.png")
    while answer.status_code == 202:
        time.sleep(int(answer.headers["retry-after"]))
        answer = raw.ask("GET", f"/2.0/files/{file}/thumbnail.png")
    return answer


def test_a_pdf(client, raw, folder):
    file = upload(client, folder.id, "report.pdf", pdf("the first page", "the second page"))
    assert size(thumbnail(raw, file.id).content) == (192, 256)
    pages = "[png?dimensions=1024x1024&paged=true]"
    second = representation(client, raw, file.id, pages, "2.png")
    assert (second.status_code, size(second.content)) == (200, (768, 1024))
    assert representation(client, raw, file.id, pages, "3.png").status_code == 404
    text = representation(client, raw, file.id, "[extracted_text]")
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert "the first page" in text.text and "the second page" in text.text


@pytest.mark.parametrize(
    "name, document", [("letter.docx", docx), ("sheet.xlsx", xlsx), ("slides.odp", odp), ("letter.rtf", rtf)]
)
def test_an_office_file(client, raw, folder, name, document):
    file = upload(client, folder.id, name, document("A word that is there: Wassermelone"))
    made = representation(client, raw, file.id, "[pdf]")
    assert made.status_code == 200 and made.content.startswith(b"%PDF-")
    assert "Wassermelone" in representation(client, raw, file.id, "[extracted_text]").text
    picture = representation(client, raw, file.id, "[png?dimensions=1024x1024&paged=false]")
    assert picture.status_code == 200 and max(size(picture.content)) == 1024
    # The SDK has nothing to hand on while a node still makes its own.
    while (thumb := client.files.get_file_thumbnail_by_id(file.id, JPG)) is None:
        time.sleep(1)
    assert thumb.read().startswith(b"\xff\xd8\xff")


def test_what_is_no_document(client, raw, folder):
    for name, content in [("a.pdf", b"%PDF-1.7 and no more"), ("a.docx", docx("x")[:200]), ("b.docx", odp("x"))]:
        file = upload(client, folder.id, name, content)
        answer = thumbnail(raw, file.id)
        assert (answer.status_code, answer.json()["code"]) == (404, "preview_cannot_be_generated")
    # By its name alone it is none, and has the placeholder.
    file = upload(client, folder.id, "letter.docx", b"dear reader")
    assert size(client.files.get_file_thumbnail_by_id(file.id, PNG).read()) == (64, 64)


def test_a_watermarked_one(server, client, raw, folder):
    token = server.token(server.new_login("viewer"))
    viewer, viewers = server.client(token), server.raw(token)
    by = CreateCollaborationAccessibleBy(
        type=CreateCollaborationAccessibleByTypeField.USER, id=viewer.users.get_user_me().id
    )
    item = CreateCollaborationItem(type=CreateCollaborationItemTypeField.FOLDER, id=folder.id)
    client.user_collaborations.create_collaboration(item, by, CreateCollaborationRole.VIEWER)
    file = upload(client, folder.id, "plan.pdf", pdf("the plan"))
    plain = thumbnail(raw, file.id).content
    assert thumbnail(viewers, file.id).content == plain
    client.file_watermarks.update_file_watermark(file.id, IMPRINT)
    marked = thumbnail(viewers, file.id).content
    assert size(marked) == size(plain) and marked != plain
    assert thumbnail(raw, file.id).content == plain
    shown = viewer.files.get_file_by_id(file.id, fields=["representations"])
    assert {entry.representation for entry in shown.representations.entries} == {"jpg", "png"}
    with refused(403):
        viewer.downloads.download_file(file.id)

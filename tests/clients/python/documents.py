"""Documents of every kind, small and made here."""

import io
import zipfile

XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPES = "application/vnd.openxmlformats-officedocument"


def pdf(*pages: str) -> bytes:
    """A page of 600 by 800 points for each text."""
    kids = " ".join(f"{4 + 2 * page} 0 R" for page in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for page, text in enumerate(pages):
        drawn = f"BT /F1 40 Tf 50 700 Td ({text}) Tj ET"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents {5 + 2 * page} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream")
    written, places = "%PDF-1.4\n", []
    for number, text in enumerate(objects):
        places.append(len(written))
        written += f"{number + 1} 0 obj\n{text}\nendobj\n"
    start = len(written)
    written += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n"
    written += "".join(f"{place:010} 00000 n \n" for place in places)
    written += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    return written.encode()


def archive(files: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as into:
        for name, text in files.items():
            into.writestr(name, text)
    return made.getvalue()


def package(kind: str, main: str, text: str, more: dict[str, tuple[str, str]] | None = None) -> bytes:
    """An Office Open XML file of one main part, and of further parts with their types."""
    parts = {main: (kind, text), **(more or {})}
    overrides = "".join(f'<Override PartName="/{name}" ContentType="{of}"/>' for name, (of, _) in parts.items())
    return archive({
        "[Content_Types].xml": f'{XML}<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType='
        f'"application/vnd.openxmlformats-package.relationships+xml"/>{overrides}</Types>',
        "_rels/.rels": f'{XML}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{OFFICE}/officeDocument" Target="{main}"/></Relationships>',
        **{name: XML + text for name, (_, text) in parts.items()},
    })


def docx(text: str) -> bytes:
    main = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = f'<w:document xmlns:w="{main}"><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>'
    return package(f"{TYPES}.wordprocessingml.document.main+xml", "word/document.xml", body)


def xlsx(text: str) -> bytes:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    book = (
        f'<workbook xmlns="{main}" xmlns:r="{OFFICE}"><sheets><sheet name="One" sheetId="1" r:id="rId1"/></sheets>'
        "</workbook>"
    )
    sheet = (
        f'<worksheet xmlns="{main}"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>{text}</t></is></c>'
        "</row></sheetData></worksheet>"
    )
    relations = (
        f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{OFFICE}/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>'
    )
    return package(f"{TYPES}.spreadsheetml.sheet.main+xml", "xl/workbook.xml", book, {
        "xl/worksheets/sheet1.xml": (f"{TYPES}.spreadsheetml.worksheet+xml", sheet),
        "xl/_rels/workbook.xml.rels": ("application/vnd.openxmlformats-package.relationships+xml", relations),
    })


def odp(text: str) -> bytes:
    names = "urn:oasis:names:tc:opendocument:xmlns"
    kind = "application/vnd.oasis.opendocument.presentation"
    spaces = {"office": "office", "text": "text", "draw": "drawing", "svg": "svg-compatible"}
    spaces = " ".join(f'xmlns:{short}="{names}:{name}:1.0"' for short, name in spaces.items())
    content = (
        f'<office:document-content {spaces} office:version="1.3"><office:body><office:presentation>'
        '<draw:page draw:name="one"><draw:frame svg:x="2cm" svg:y="2cm" svg:width="20cm" svg:height="4cm">'
        f"<draw:text-box><text:p>{text}</text:p></draw:text-box></draw:frame></draw:page>"
        "</office:presentation></office:body></office:document-content>"
    )
    manifest = (
        f'<manifest:manifest xmlns:manifest="{names}:manifest:1.0" manifest:version="1.3">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    )
    return archive({"mimetype": kind, "content.xml": XML + content, "META-INF/manifest.xml": XML + manifest})


def rtf(text: str) -> bytes:
    return b"{\\rtf1\\ansi\\fs48 " + text.encode() + b"}"

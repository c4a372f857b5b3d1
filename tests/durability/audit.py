"""Looks into the metadata database of a stopped server: what must always be true of its rows, whatever was killed when.

This knows the tables (crates/database/src/migrations). The database is opened read-only.
"""

import sqlite3
from pathlib import Path

from tally import Tally

# Each finds rows that must not be there.
NEVER = {
    "a file's current version is not there or is another file's": """
        SELECT i.id FROM items i LEFT JOIN versions v ON v.id = i.version_id AND v.item_id = i.id
        WHERE i.kind = 1 AND v.id IS NULL""",
    "a version has no file": "SELECT v.id FROM versions v LEFT JOIN items i ON i.id = v.item_id WHERE i.id IS NULL",
    "a version's content is not there": """
        SELECT v.id FROM versions v LEFT JOIN contents c ON c.id = v.content_id WHERE c.id IS NULL""",
    "a version has not the size or SHA-1 of its content": """
        SELECT v.id FROM versions v JOIN contents c ON c.id = v.content_id WHERE v.size <> c.size OR v.sha1 <> c.sha1""",
    "a content is not referred to as often as it says": """
        SELECT c.id, c.references_count FROM contents c
        WHERE c.references_count <> (SELECT count(*) FROM versions v WHERE v.content_id = c.id)
          + (SELECT count(*) FROM pieces p WHERE p.source_id = c.id)
          + (SELECT count(*) FROM multipart_parts p WHERE p.content_id = c.id)""",
    "a piece has no content, or is of one without chunks": """
        SELECT p.content_id FROM pieces p LEFT JOIN contents c ON c.id = p.content_id AND c.pieces > 0
        LEFT JOIN contents s ON s.id = p.source_id AND s.pieces = 0 WHERE c.id IS NULL OR s.id IS NULL""",
    "a part of a multipart upload has no open upload or no content": """
        SELECT p.upload_id FROM multipart_parts p LEFT JOIN multipart_uploads u ON u.id = p.upload_id AND u.state = 0
        LEFT JOIN contents c ON c.id = p.content_id WHERE u.id IS NULL OR c.id IS NULL""",
    "a chunk has no content": """
        SELECT k.content_id FROM chunks k LEFT JOIN contents c ON c.id = k.content_id WHERE c.id IS NULL""",
    "a chunk or part has no live segment": """
        SELECT h.segment_id FROM (SELECT segment_id FROM chunks UNION SELECT segment_id FROM upload_parts) h
        LEFT JOIN segments s ON s.id = h.segment_id AND s.state = 1 WHERE s.id IS NULL""",
    "a part has no session": """
        SELECT p.session_id FROM upload_parts p LEFT JOIN upload_sessions u ON u.id = p.session_id WHERE u.id IS NULL""",
    "a segment's live bytes are not what is in it": """
        SELECT s.id, s.live FROM segments s WHERE s.live <>
            (SELECT coalesce(sum(length), 0) FROM chunks WHERE segment_id = s.id)
          + (SELECT coalesce(sum(length), 0) FROM upload_parts WHERE segment_id = s.id)""",
    "an item has no parent": """
        SELECT i.id FROM items i LEFT JOIN items p ON p.id = i.parent_id AND p.kind = 0
        WHERE (i.parent_id IS NOT NULL OR i.top = 0) AND p.id IS NULL""",
    # Keys are exact, and a key may have the name of a folder: what only clients of Box write has names of Box.
    "two items of a folder have one name": """
        SELECT i.parent_id, i.name_folded FROM items i JOIN items p ON p.id = i.parent_id
        WHERE p.top < 2 AND i.created_by = (SELECT min(id) FROM users)
        GROUP BY i.parent_id, i.name_folded HAVING count(*) > 1""",
    "two items of a folder have one path": """
        SELECT i.parent_id, i.sort_name FROM items i JOIN items p ON p.id = i.parent_id WHERE p.top < 2
        GROUP BY i.parent_id, i.sort_name HAVING count(*) > 1""",
    "a folder that only paths need has nothing below it": """
        SELECT f.id FROM items f WHERE f.implied = 1 AND f.top = 0
          AND NOT EXISTS (SELECT 1 FROM items i WHERE i.parent_id = f.id)
          AND NOT EXISTS (SELECT 1 FROM items i WHERE i.trashed_from = f.id AND i.mark <> 0)""",
    "a lock or a property has no item": """
        SELECT h.item_id FROM (SELECT item_id FROM locks UNION SELECT item_id FROM properties) h
        LEFT JOIN items i ON i.id = h.item_id WHERE i.id IS NULL""",
    "a folder's count is not the number of its children": """
        SELECT f.id FROM items f WHERE f.kind = 0
          AND (SELECT coalesce(sum(children), 0) FROM folder_counts WHERE folder_id = f.id)
           <> (SELECT count(*) FROM items WHERE parent_id = f.id)""",
    "a count has no folder": """
        SELECT n.folder_id FROM folder_counts n LEFT JOIN items f ON f.id = n.folder_id
        WHERE f.id IS NULL GROUP BY n.folder_id HAVING sum(n.children) <> 0""",
    "what is in limbo has no job": """
        SELECT i.id FROM items i LEFT JOIN jobs j ON j.key = cast(i.id AS TEXT) WHERE i.top = 3 AND j.id IS NULL""",
}
SPACE = "SELECT (SELECT sum(space_used) FROM users), (SELECT coalesce(sum(size), 0) FROM versions)"


def database_of(data: Path) -> Path:
    """The one database file of a data directory."""
    found = [path for path in data.rglob("*") if path.is_file() and is_sqlite(path)]
    assert len(found) == 1, f"databases in {data}: {found}"
    return found[0]


def is_sqlite(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def audit(data: Path, tally: Tally) -> None:
    with_rows = sqlite3.connect(f"{database_of(data).as_uri()}?mode=ro", uri=True)
    try:
        said = with_rows.execute("PRAGMA integrity_check").fetchall()
        tally.check("audit: the database is sound", said == [("ok",)], said[:3])
        said = with_rows.execute("PRAGMA foreign_key_check").fetchall()
        tally.check("audit: every foreign key is there", not said, said[:3])
        for name, question in NEVER.items():
            rows = with_rows.execute(question).fetchmany(5)
            tally.check(f"audit: never {name}", not rows, rows)
        used, stored = with_rows.execute(SPACE).fetchone()
        tally.check("audit: the space used is the space of all versions", used == stored, f"{used} and {stored}")
    finally:
        with_rows.close()


def segments_known(data: Path) -> dict[str, int]:
    """The live segments' names, in hexadecimal as their objects are called, with their sizes."""
    with_rows = sqlite3.connect(f"{database_of(data).as_uri()}?mode=ro", uri=True)
    try:
        return {name.hex(): size for name, size in with_rows.execute("SELECT r.name, s.size FROM replicas r JOIN segments s ON s.id = r.segment_id WHERE s.state = 1")}
    finally:
        with_rows.close()

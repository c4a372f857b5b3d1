"""Events: heard of with the SDK by who may, in order, and waited for."""

import threading
import time
import uuid

import pytest
import requests
from box_sdk_gen import (
    BoxAPIError,
    CreateFileMetadataByIdScope,
    DeleteFileMetadataByIdScope,
    GetEventsEventType,
    GetEventsStreamType,
    UpdateFileMetadataByIdRequestBody,
    UpdateFileMetadataByIdRequestBodyOpField,
    UpdateFileMetadataByIdScope,
)
from box_sdk_gen.managers.events import GetEventStreamQueryParams

from kit import new_folder, upload


@pytest.fixture(scope="module")
def administrator(server):
    app = server.new_app("python events")
    return server.client_of_app(app, enterprise_id=app.enterprise_id)


def now(client) -> int:
    answer = client.events.get_events(stream_position="now")
    assert answer.entries == [] and answer.chunk_size == 0
    assert isinstance(answer.next_stream_position, int)
    return answer.next_stream_position


def test_what_is_done_is_heard_of_once_and_in_order(client):
    start = now(client)
    folder = new_folder(client, "0", uuid.uuid4().hex)
    file = upload(client, folder.id, "a file", b"x")
    client.files.update_file_by_id(file.id, name="another name")
    client.files.delete_file_by_id(file.id)
    seen, position = [], start
    while True:
        page = client.events.get_events(
            stream_type=GetEventsStreamType.ALL, stream_position=str(position), limit=3
        )
        assert page.chunk_size == len(page.entries)
        seen += [(event.event_type, event.source.id) for event in page.entries if event.source.id in (folder.id, file.id)]
        if page.next_stream_position == position:
            break
        position = page.next_stream_position
    assert seen == [
        ("ITEM_CREATE", folder.id),
        ("ITEM_UPLOAD", file.id),
        ("ITEM_RENAME", file.id),
        ("ITEM_TRASH", file.id),
    ]


def test_an_enterprise_is_looked_over_by_administrators(client, administrator, server):
    file = upload(client, "0", uuid.uuid4().hex, b"x")
    start = now(client)
    client.files.update_file_by_id(file.id, name=f"renamed {file.id}")
    page = administrator.events.get_events(
        stream_type=GetEventsStreamType.ADMIN_LOGS,
        stream_position=str(start),
        event_type=[GetEventsEventType.RENAME],
    )
    mine = [event for event in page.entries if event.source.item_id == file.id]
    assert [event.event_type for event in mine] == ["RENAME"]
    assert mine[0].source.item_name == f"renamed {file.id}"
    bob = server.client(server.token(server.new_login("listener")))
    with pytest.raises(BoxAPIError) as refused:
        bob.events.get_events(stream_type=GetEventsStreamType.ADMIN_LOGS)
    assert refused.value.response_info.status_code == 403
    assert bob.events.get_events(stream_position="0").entries == []


def test_administrators_hear_what_is_said_of_items(client, administrator):
    file = upload(client, "0", uuid.uuid4().hex, b"x")
    start = now(client)
    said = client.file_metadata
    said.create_file_metadata_by_id(file.id, CreateFileMetadataByIdScope.GLOBAL, "properties", {"state": "one"})
    change = UpdateFileMetadataByIdRequestBody(
        op=UpdateFileMetadataByIdRequestBodyOpField.REPLACE, path="/state", value="two"
    )
    said.update_file_metadata_by_id(file.id, UpdateFileMetadataByIdScope.GLOBAL, "properties", [change])
    said.delete_file_metadata_by_id(file.id, DeleteFileMetadataByIdScope.GLOBAL, "properties")
    page = administrator.events.get_events(
        stream_type=GetEventsStreamType.ADMIN_LOGS,
        stream_position=str(start),
        event_type=[
            GetEventsEventType.METADATA_INSTANCE_CREATE,
            GetEventsEventType.METADATA_INSTANCE_UPDATE,
            GetEventsEventType.METADATA_INSTANCE_DELETE,
        ],
    )
    assert [event.event_type for event in page.entries if event.source.item_id == file.id] == [
        "METADATA_INSTANCE_CREATE",
        "METADATA_INSTANCE_UPDATE",
        "METADATA_INSTANCE_DELETE",
    ]


def test_what_is_read_is_heard_of(client, administrator, folder):
    file = upload(client, folder.id, "read me", b"content")
    start = now(client)
    assert client.downloads.download_file(file.id).read() == b"content"
    seen, until = [], time.monotonic() + 30
    # It is written within moments after the answer.
    while not seen and time.monotonic() < until:
        page = client.events.get_events(stream_position=str(start))
        seen = [event for event in page.entries if event.source.id == file.id]
    assert [event.event_type for event in seen] == ["ITEM_DOWNLOAD"]
    page = administrator.events.get_events(
        stream_type=GetEventsStreamType.ADMIN_LOGS, stream_position=str(start), event_type=[GetEventsEventType.DOWNLOAD]
    )
    assert [event.source.item_id for event in page.entries if event.source.item_id == file.id] == [file.id]


def test_who_waits_hears_of_news(client):
    position = now(client)
    servers = client.events.get_events_with_long_polling()
    assert servers.chunk_size == 1
    place = servers.entries[0]
    assert place.type == "realtime_server" and place.url.startswith("http")
    heard = []

    def wait():
        heard.append(requests.get(f"{place.url}&stream_position={position}", timeout=place.retry_timeout).json())

    waiting = threading.Thread(target=wait)
    waiting.start()
    new_folder(client, "0", uuid.uuid4().hex)
    waiting.join()
    assert heard == [{"message": "new_change"}]


def test_the_stream_of_the_sdk_waits_and_reads(client):
    start = GetEventStreamQueryParams(stream_position=str(now(client)))
    stream = client.events.get_event_stream(query_params=start)
    events = iter(stream)
    first = new_folder(client, "0", uuid.uuid4().hex)
    heard = next(events)
    assert (heard.event_type, heard.source.id) == ("ITEM_CREATE", first.id)
    made = []
    acting = threading.Timer(0.5, lambda: made.append(new_folder(client, "0", uuid.uuid4().hex)))
    acting.start()
    heard = next(events)
    acting.join()
    assert (heard.event_type, heard.source.id) == ("ITEM_CREATE", made[0].id)
    stream.stop()

"""What people say of files, and what they are asked to do with them."""

import datetime
import uuid

import pytest
from box_sdk_gen import (
    CreateCollaborationAccessibleBy,
    CreateCollaborationAccessibleByTypeField,
    CreateCollaborationItem,
    CreateCollaborationItemTypeField,
    CreateCollaborationRole,
    CreateCommentItem,
    CreateCommentItemTypeField,
    CreateTaskAction,
    CreateTaskAssignmentAssignTo,
    CreateTaskAssignmentTask,
    CreateTaskCompletionRule,
    CreateTaskItem,
    UpdateTaskAssignmentByIdResolutionState,
)

from kit import refused, upload
from typed import well_typed


@pytest.fixture
def file(client):
    found = upload(client, "0", f"{uuid.uuid4().hex}.txt", b"content")
    yield found
    client.files.delete_file_by_id(found.id)


@pytest.fixture
def colleague(server, client, file):
    """Somebody who may look at the file, and say something."""
    other = server.client(server.token(server.new_login("colleague")))
    invited = CreateCollaborationAccessibleBy(
        type=CreateCollaborationAccessibleByTypeField.USER, id=other.users.get_user_me().id
    )
    item = CreateCollaborationItem(type=CreateCollaborationItemTypeField.FILE, id=file.id)
    client.user_collaborations.create_collaboration(item, invited, CreateCollaborationRole.VIEWER)
    return other


def said(client, kind, of, message, **more):
    return well_typed(client.comments.create_comment(message, CreateCommentItem(id=of, type=kind), **more))


def test_comments(client, colleague, file, server):
    first = said(client, CreateCommentItemTypeField.FILE, file.id, "one")
    assert (first.message, first.is_reply_comment, first.item.id) == ("one", False, file.id)
    me = colleague.users.get_user_me()
    mention = f"look, @[{client.users.get_user_me().id}:Somebody]"
    reply = said(
        colleague,
        CreateCommentItemTypeField.COMMENT,
        first.id,
        "",
        tagged_message=mention,
        fields=["message", "tagged_message", "is_reply_comment", "created_by"],
    )
    assert (reply.message, reply.tagged_message) == ("look, Somebody", mention)
    assert (reply.is_reply_comment, reply.created_by.id) == (True, me.id)
    page = well_typed(colleague.comments.get_file_comments(file.id, limit=1, offset=1))
    assert (page.total_count, page.offset, [one.id for one in page.entries]) == (2, 1, [reply.id])
    assert client.files.get_file_by_id(file.id, fields=["comment_count"]).comment_count == 2

    assert well_typed(client.comments.update_comment_by_id(first.id, message="new")).message == "new"
    assert well_typed(colleague.comments.get_comment_by_id(first.id)).message == "new"
    with refused(403):
        colleague.comments.update_comment_by_id(first.id, message="mine")
    with refused(403):
        colleague.comments.delete_comment_by_id(first.id)
    with refused(400, "bad_request"):
        said(client, CreateCommentItemTypeField.FILE, file.id, "x" * 10_001)
    with refused(404):
        said(client, CreateCommentItemTypeField.FILE, "12", "nobody reads this")
    stranger = server.client(server.token(server.new_login("stranger")))
    for look in (stranger.comments.get_comment_by_id, stranger.comments.delete_comment_by_id):
        with refused(404):
            look(first.id)
    with refused(404):
        stranger.comments.get_file_comments(file.id)
    # Who owns the file has the last word.
    client.comments.delete_comment_by_id(reply.id)
    client.comments.delete_comment_by_id(first.id)
    with refused(404):
        client.comments.get_comment_by_id(first.id)
    assert client.comments.get_file_comments(file.id).entries == []


def test_tasks(client, colleague, file, server):
    due = datetime.datetime(2031, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    made = well_typed(
        client.tasks.create_task(
            CreateTaskItem(id=file.id),
            action=CreateTaskAction.REVIEW,
            message="please",
            due_at=due,
            completion_rule=CreateTaskCompletionRule.ALL_ASSIGNEES,
        )
    )
    assert (made.item.id, made.due_at, made.is_completed) == (file.id, due, False)
    me = colleague.users.get_user_me()
    task = CreateTaskAssignmentTask(id=made.id)
    asked = well_typed(
        client.task_assignments.create_task_assignment(task, CreateTaskAssignmentAssignTo(login=me.login))
    )
    assert (asked.assigned_to.id, asked.resolution_state.value) == (me.id, "incomplete")
    with refused(409):
        client.task_assignments.create_task_assignment(task, CreateTaskAssignmentAssignTo(id=me.id))
    with refused(403):
        colleague.task_assignments.create_task_assignment(task, CreateTaskAssignmentAssignTo(id=me.id))
    stranger = server.client(server.token(server.new_login("stranger")))
    # They are a colleague, and do not see the file.
    with refused(403):
        client.task_assignments.create_task_assignment(
            task, CreateTaskAssignmentAssignTo(id=stranger.users.get_user_me().id)
        )
    with refused(404):
        stranger.tasks.get_task_by_id(made.id)
    with refused(404):
        stranger.task_assignments.get_task_assignment_by_id(asked.id)
    approved = UpdateTaskAssignmentByIdResolutionState.APPROVED
    with refused(403):
        client.task_assignments.update_task_assignment_by_id(asked.id, resolution_state=approved)
    with refused(400, "bad_request"):
        colleague.task_assignments.update_task_assignment_by_id(
            asked.id, resolution_state=UpdateTaskAssignmentByIdResolutionState.COMPLETED
        )
    done = well_typed(
        colleague.task_assignments.update_task_assignment_by_id(asked.id, message="fine", resolution_state=approved)
    )
    assert (done.message, done.resolution_state.value) == ("fine", "approved") and done.completed_at
    assert well_typed(client.tasks.get_task_by_id(made.id)).is_completed
    assert well_typed(client.task_assignments.get_task_assignment_by_id(asked.id)).message == "fine"
    listed = well_typed(client.task_assignments.get_task_assignments(made.id))
    assert (listed.total_count, listed.entries[0].id) == (1, asked.id)
    assert [one.id for one in well_typed(colleague.tasks.get_file_tasks(file.id)).entries] == [made.id]
    assert well_typed(client.tasks.update_task_by_id(made.id, message="thanks")).message == "thanks"
    with refused(403):
        colleague.tasks.delete_task_by_id(made.id)
    client.task_assignments.delete_task_assignment_by_id(asked.id)
    client.tasks.delete_task_by_id(made.id)
    with refused(404):
        client.tasks.get_task_by_id(made.id)


def test_what_is_said_is_told(client, colleague, file):
    before = client.events.get_events(stream_position="now").next_stream_position
    first = said(colleague, CreateCommentItemTypeField.FILE, file.id, "one")
    colleague.comments.delete_comment_by_id(first.id)
    client.tasks.create_task(CreateTaskItem(id=file.id))
    told = client.events.get_events(stream_position=str(before)).entries
    kinds = [event.event_type if isinstance(event.event_type, str) else event.event_type.value for event in told]
    assert kinds == ["COMMENT_CREATE", "COMMENT_DELETE", "TASK_CREATE"]
    assert {event.source.id for event in told} == {file.id}

"""HTTP for the live stream."""

from dependencies.stream import OpenStream, StreamResponse
from dto.stream_dto import Ticket
from services import stream_service


def issue_ticket() -> Ticket:
    """Opens one stream within a minute, as `?ticket=`: a browser's EventSource sends no header. It
    ends with your session."""
    return stream_service.issue_ticket()


def read_stream(stream: OpenStream) -> StreamResponse:
    """What happens in your home timeline, and to you, as it happens: server-sent events.

    `post` and `post_edited` carry the post, `post_deleted` its `{id}`, `notification` what you are
    told, `unread` its `{count}`. Each has an `id`: sent back as `Last-Event-ID`, or in the query,
    it resumes the stream without a gap for an hour. `reset` says that it could not: read the
    timeline anew. Ends with your session, with the right to read posts, and when the server stops:
    then connect again.
    """
    return StreamResponse(stream)

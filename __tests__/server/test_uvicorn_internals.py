"""A canary: what uvicorn's documentation does not promise is still what it was."""

import asyncio
from importlib.metadata import version

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from server.http_protocol import BoundedHttp
from server.uvicorn_internals import HttpConnection, Process
from server.workers import Worker

READ_IN = "0.54.0"


async def app(scope, receive, send):
    pass


def test_the_version_that_they_were_read_in():
    assert version("uvicorn") == READ_IN, (
        f"server/uvicorn_internals.py was written for uvicorn {READ_IN}. Read HttpToolsProtocol, "
        "RequestResponseCycle and supervisors.multiprocess.Process in the new version, then write "
        "its number here."
    )


def test_a_connection_has_the_attributes_that_are_read():
    async def connect():
        return HttpToolsProtocol(Config(app, log_config=None), ServerState(), {})

    connection = asyncio.run(connect())
    connection.on_message_begin()
    connection._unset_keepalive_if_required()
    for name in ("scope", "cycle", "url", "headers", "transport", "loop", "parser"):
        assert hasattr(connection, name), f"uvicorn's HTTP connection has no {name} any more"
    names = RequestResponseCycle.__init__.__code__.co_names
    for name in (
        "scope",
        "response_started",
        "response_complete",
        "more_body",
        "keep_alive",
        "message_event",
    ):
        assert name in names, f"uvicorn's request cycle has no {name} any more"


def test_every_method_that_is_overridden_is_there():
    for ours, theirs in ((BoundedHttp, HttpConnection), (Worker, Process)):
        for name, value in vars(ours).items():
            if callable(value) and not name.startswith("_") and name != "is_hung":
                assert hasattr(theirs, name), f"uvicorn calls no {theirs.__name__}.{name} any more"


def test_a_worker_is_asked_through_a_pipe():
    worker = Process(Config(app, log_config=None), [])
    assert hasattr(worker, "parent_conn"), "uvicorn's Process has no parent_conn any more"

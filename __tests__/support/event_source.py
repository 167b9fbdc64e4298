"""A client of the live stream, as EventSource is one: it reads events, and knows the last id."""

import json
from contextlib import closing, suppress
from socket import SHUT_RDWR
from threading import Condition, Thread
from time import monotonic
from typing import Any, NamedTuple

import httpx


class Event(NamedTuple):
    id: str
    name: str
    data: str

    def json(self) -> Any:
        return json.loads(self.data)


class EventSource:
    """Connects at once. `events`: those that have arrived; `last_id`: where it would resume."""

    def __init__(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        last_id: str = "",
        limit: int | None = None,
        **query: str,
    ) -> None:
        """With `limit` it leaves after so many events."""
        self.events: list[Event] = []
        self.last_id, self.comments, self.is_over = last_id, 0, False
        self._limit, self._news = limit, Condition()
        self._client = httpx.Client(timeout=httpx.Timeout(10, read=60), verify=False)
        sent = {**(headers or {}), **({"Last-Event-ID": last_id} if last_id else {})}
        request = self._client.build_request("GET", f"{url}/api/stream", headers=sent, params=query)
        self.answer = self._client.send(request, stream=True)
        self.status = self.answer.status_code
        if self.status == 200:
            Thread(target=self._read, daemon=True).start()
            # The first event says where the stream begins.
            assert self.wait(lambda: self.last_id != last_id or self.comments)
        else:
            self.answer.read()

    def wait(self, is_so: Any, seconds: float = 20.0) -> bool:
        """Until it is so, or the time is over."""
        with self._news:
            return bool(self._news.wait_for(lambda: is_so() or self.is_over, seconds)) and is_so()

    def wait_for(self, *names: str, seconds: float = 20.0) -> list[Event]:
        """The events, when those with these names have arrived, in this order, and no others."""
        self.wait(lambda: len(self.events) >= len(names), seconds)
        with self._news:
            events = self.events[: len(names)]
            assert [event.name for event in events] == list(names), self.events
            self.events = self.events[len(names) :]
        return events

    def wait_until_over(self, seconds: float = 20.0) -> float:
        """Seconds until the server ended it."""
        began = monotonic()
        assert self.wait(lambda: self.is_over, seconds)
        return monotonic() - began

    def close(self) -> None:
        """The thread that reads would keep the connection open otherwise."""
        with suppress(OSError):
            stream = self.answer.extensions["network_stream"]
            stream.get_extra_info("socket").shutdown(SHUT_RDWR)

    def _read(self) -> None:
        fields: dict[str, str] = {}
        taken = 0
        with suppress(httpx.HTTPError, OSError), closing(self._client):
            for line in self.answer.iter_lines():
                if line:
                    name, _, value = line.partition(":")
                    fields[name] = value.removeprefix(" ")
                    continue
                with self._news:
                    self.last_id = fields.get("id", self.last_id)
                    self.comments += "" in fields
                    if "data" in fields:
                        self.events.append(
                            Event(self.last_id, fields.get("event", "message"), fields["data"])
                        )
                        taken += 1
                    self._news.notify_all()
                fields = {}
                if taken == self._limit:
                    break
        with self._news:
            self.is_over = True
            self._news.notify_all()

"""Measures the live stream: `.venv/bin/python bench/streams.py --streams 2000`. Needs Linux.

Starts a server with data of its own, opens the streams, five for each member, all of whom follow
one author, and prints what a stream holds in memory, what all of them cost while nothing happens,
and how long after the answer of `POST /api/posts` the streams have got the post.
"""

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles

import httpx

sys.path[:0] = [
    str(Path(__file__).resolve().parents[1] / each) for each in ("__tests__/support", "src")
]

from live_server import NO_LIMITS, LiveServer  # noqa: E402

PASSWORD = {"password": "gopher1!", "password_confirm": "gopher1!"}
PER_MEMBER = 5
QUIET_SECONDS = 10


@contextmanager
def a_server() -> Iterator[LiveServer]:
    with tempfile.TemporaryDirectory(prefix="gophertalk-bench-") as folder:
        server = LiveServer(Path(folder) / "data", **NO_LIMITS)
        try:
            yield server.wait_until_ready()
        finally:
            server.stop()


def memory_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


async def register(client: httpx.AsyncClient, user_name: str) -> dict[str, str]:
    body = {"user_name": user_name, "first_name": "Anna", "last_name": "P", **PASSWORD}
    answer = (await client.post("/api/auth/register", json=body)).raise_for_status()
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


class Stream:
    """`arrived`: when each post came."""

    async def open(self, port: int, headers: dict[str, str]) -> None:
        self.arrived: list[float] = []
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        token = headers["Authorization"]
        self.writer.write(
            f"GET /api/stream HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n".encode()
        )
        assert b" 200 " in await self.reader.readline()
        self.task = asyncio.create_task(self.read())

    async def read(self) -> None:
        while line := await self.reader.readline():
            if line == b"event: post\n":
                self.arrived.append(time.monotonic())


async def measure(server: LiveServer, number: int, posts: int) -> None:
    pid = server.process.pid
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        author = await register(client, "gopher_author")
        members = []
        for n in range(-(-number // PER_MEMBER)):
            members.append(await register(client, f"gopher_{n:05}"))
            followed = await client.post("/api/users/1/follow", headers=members[-1])
            followed.raise_for_status()
        before = memory_kb(pid)
        streams = [Stream() for _ in range(number)]
        for n, stream in enumerate(streams):
            await stream.open(server.port, members[n // PER_MEMBER])
        await asyncio.sleep(2)
        print(f"{number} streams, {(memory_kb(pid) - before) / number:.1f} KB each")
        began = processor_seconds(pid)
        await asyncio.sleep(QUIET_SECONDS)
        used = (processor_seconds(pid) - began) / QUIET_SECONDS
        print(f"nothing happens: {used:.1%} of a core")
        delays: list[float] = []
        for n in range(posts):
            body = {"text": f"Post {n}"}
            (await client.post("/api/posts", json=body, headers=author)).raise_for_status()
            written = time.monotonic()
            while any(len(stream.arrived) <= n for stream in streams):
                await asyncio.sleep(0.01)
            delays += [stream.arrived[n] - written for stream in streams]
            await asyncio.sleep(0.17)
        steps = quantiles(delays, n=100)
        print(
            f"{posts} posts: p50 {steps[49]:.3f} s, p99 {steps[98]:.3f} s, max {max(delays):.3f} s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--posts", type=int, default=20)
    asked = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with a_server() as server:
        asyncio.run(measure(server, asked.streams, asked.posts))


if __name__ == "__main__":
    main()

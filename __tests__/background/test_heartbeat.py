"""The beat of a process that works, and what happens to a worker that has stopped."""

import asyncio
import os
import socket
from threading import Event, Thread

import pytest

from background import heartbeat
from dependencies.routing.threads import PRIMARY_THREADS, in_worker_thread, overflow_threads
from utils import process_state


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(process_state, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(process_state, "STALLED_BEATS", 3)
    monkeypatch.setattr(process_state, "_beats_missed", 0)


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    """Where systemd listens to a service."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.settimeout(30)
        listener.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listener


def test_each_beat_is_told_to_systemd(systemd):
    async def live():
        beating = asyncio.create_task(heartbeat.run_heartbeat(in_worker_thread))
        loop = asyncio.get_running_loop()
        said = [await loop.run_in_executor(None, systemd.recv, 100) for _ in range(2)]
        beating.cancel()
        return said

    process_state.start_beat()
    assert asyncio.run(live()) == [b"READY=1\nWATCHDOG=1"] * 2
    assert process_state._beats_missed == 0


def test_a_process_whose_worker_threads_are_all_taken_is_stalled():
    taken, stop = Event(), Event()
    threads = PRIMARY_THREADS + overflow_threads()._max_workers

    async def live():
        async with asyncio.TaskGroup() as tasks:
            beating = tasks.create_task(heartbeat.run_heartbeat(in_worker_thread))
            for _ in range(threads):
                tasks.create_task(in_worker_thread(taken.wait, 30))
            while not process_state.is_stalled():
                await asyncio.sleep(0.01)
            taken.set()
            while process_state.is_stalled():
                await asyncio.sleep(0.01)
            beating.cancel()

    watchdog = Thread(target=heartbeat.run_watchdog, args=(stop, False))
    watchdog.start()
    asyncio.run(asyncio.wait_for(live(), 30))
    stop.set()
    watchdog.join()


def test_a_worker_that_misses_too_many_ends(monkeypatch, capfd):
    ended = Event()
    monkeypatch.setattr(os, "_exit", lambda code: ended.set())
    stop = Event()
    watchdog = Thread(target=heartbeat.run_watchdog, args=(stop, True))
    watchdog.start()
    assert ended.wait(30)
    stop.set()
    watchdog.join()
    assert "test_heartbeat.py" in capfd.readouterr().err, "where its threads stood"


def test_a_server_without_workers_goes_on(monkeypatch):
    """Nobody would start another one; whoever asks livez may end it."""
    monkeypatch.setattr(os, "_exit", lambda code: pytest.fail("it ended"))
    stop = Event()
    watchdog = Thread(target=heartbeat.run_watchdog, args=(stop, False))
    watchdog.start()
    while not process_state.is_stalled():
        stop.wait(0.01)
    stop.set()
    watchdog.join()


def test_without_systemd_nothing_is_sent(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setattr(socket, "socket", lambda *args: pytest.fail("a socket was opened"))
    heartbeat.tell_systemd()


def test_a_systemd_that_went_away_disturbs_nobody(tmp_path, monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    heartbeat.tell_systemd()

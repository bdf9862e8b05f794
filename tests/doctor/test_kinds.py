"""Findings beyond names of modules: libraries in C, threads, processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doctor.doctor import PATCH, POOLS, examine, write

NATIVE = {
    "psycopg2": "psycopg2._psycopg",
    "grpc": "grpc._cython.cygrpc",
}


@pytest.mark.parametrize(
    ("pool", "source", "found"),
    [
        ("gevent", "import psycopg2, grpc", {"psycopg2", "grpc"}),
        ("gevent", "import psycopg2\nfrom psycogreen.gevent import patch_psycopg\npatch_psycopg()", set()),
        ("gevent", "import grpc.experimental.gevent\ngrpc.experimental.gevent.init_gevent()", set()),
        # eventlet's own patch sees to psycopg2, and nothing to gRPC.
        ("eventlet", "import psycopg2, grpc", {"grpc"}),
    ],
)
def test_libraries_in_c_that_block_are_found_unless_they_are_helped(
    tmp_path: Path, pool: str, source: str, found: set[str]
) -> None:
    pytest.importorskip("psycopg2")
    pytest.importorskip("grpc")
    write(tmp_path, {"main.py": f"{PATCH[pool]}\nimport data\n", "data.py": source})
    stale = examine(tmp_path, pool, "main.py")["stale"]
    assert {(item["module"], item["attribute"], item["kind"]) for item in stale} == {
        (name, NATIVE[name], "C extension") for name in found
    }
    assert all(item["imported_by"] == {"file": str(tmp_path / "main.py"), "line": 2} for item in stale)


@pytest.mark.parametrize("pool", POOLS)
def test_what_only_the_garbage_collector_sees_is_found(tmp_path: Path, pool: str) -> None:
    hidden = """
import functools, threading
from contextvars import ContextVar

@functools.lru_cache
def lock_of(name):
    return threading.Lock()

@functools.cache
def gate():
    return threading.Event()

lock_of("a"), gate()
CURRENT = ContextVar("CURRENT", default=threading.Semaphore())
"""
    write(tmp_path, {"main.py": f"import hidden\n{PATCH[pool]}\n", "hidden.py": hidden})
    stale = examine(tmp_path, pool, "main.py")["stale"]
    assert {(item["attribute"], item["original"], item["kind"]) for item in stale} == {
        ("lock_of<held>", "threading.Lock", "instance"),
        ("gate<held>[<tuple>]", "threading.Event", "instance"),
        ("CURRENT<held>", "threading.Semaphore", "instance"),
    }


@pytest.mark.parametrize("pool", POOLS)
def test_a_thread_that_runs_already_is_found(tmp_path: Path, pool: str) -> None:
    started = """
import threading, time

def beat(stop=threading.Event()):
    while True:
        time.sleep(0.01)

def start():
    threading.Thread(target=beat, name="heart", daemon=True).start()

start()
"""
    write(tmp_path, {"main.py": f"import started\n{PATCH[pool]}\n", "started.py": started})
    stale = examine(tmp_path, pool, "main.py")["stale"]
    assert [(item["module"], item["attribute"], item["kind"], item["imported_by"]["line"]) for item in stale] == [
        ("started", "beat(stop=)", "instance", 1),
        ("started", "heart", "thread", 1),
    ]


@pytest.mark.parametrize("pool", POOLS)
def test_a_process_that_was_started_before_is_found(tmp_path: Path, pool: str) -> None:
    source = "import subprocess\nchild = subprocess.Popen(['true'])\n"
    write(tmp_path, {"main.py": f"import child\n{PATCH[pool]}\nchild.child.wait()\n", "child.py": source})
    (stale,) = examine(tmp_path, pool, "main.py")["stale"]
    assert (stale["attribute"], stale["original"], stale["kind"]) == ("child", "subprocess.Popen", "instance")


@pytest.mark.parametrize("pool", POOLS)
def test_what_is_alive_is_found_whoever_holds_it(tmp_path: Path, pool: str) -> None:
    """Neither a name of a module leads there nor a variable of a function that runs; and what is dead is not found."""
    alive = """
import atexit, queue, threading

class Client:
    def __init__(self):
        self.lock = threading.Lock()

    def close(self):
        pass

class Ended:
    def __init__(self):
        self.itself, self.lock = self, threading.Lock()

def jobs():
    waiting = queue.Queue()
    yield
    yield waiting

def start(retry=threading.Event()):
    gate = threading.Semaphore()

    def leave(log=threading.Event()):
        return gate

    atexit.register(Client().close)
    atexit.register(leave)
    Ended()
    running = jobs()
    next(running)
    atexit.register(running.close)

start()
del start
"""
    write(tmp_path, {"main.py": f"\nimport alive\n{PATCH[pool]}\n", "alive.py": alive})
    stale = examine(tmp_path, pool, "main.py")["stale"]
    assert {(item["attribute"], item["original"], item["kind"]) for item in stale} == {
        ("Client().lock", "threading.Lock", "instance"),
        ("start.<locals>.leave(log=)", "threading.Event", "instance"),
        ("start.<locals>.leave<gate>", "threading.Semaphore", "instance"),
        ("jobs().gi_frame.f_locals['waiting']", "queue.Queue", "instance"),
    }
    assert all(item["module"] == "alive" for item in stale)
    assert all(item["imported_by"] == {"file": str(tmp_path / "main.py"), "line": 2} for item in stale)


@pytest.mark.parametrize("pool", POOLS)
def test_a_pool_of_multiprocessing_is_found_where_it_is_made(tmp_path: Path, pool: str) -> None:
    main = f"{PATCH[pool]}\nimport multiprocessing\n\ndef main():\n    return multiprocessing.Pool(1)\n"
    write(tmp_path, {"main.py": f"{main}\nmain()\n"})
    (stale,) = examine(tmp_path, pool, "main.py")["stale"]
    assert (stale["module"], stale["attribute"], stale["original"], stale["kind"], stale["imported_by"]) == (
        "__main__",
        "main",
        "multiprocessing.pool.Pool",
        "multiprocessing",
        {"file": str(tmp_path / "main.py"), "line": 5},
    )


@pytest.mark.parametrize("pool", POOLS)
def test_what_does_work_is_not_found(tmp_path: Path, pool: str) -> None:
    main = """
import multiprocessing, subprocess
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

if __name__ == "__main__":
    executor = ProcessPoolExecutor(1)
    print(executor.submit(abs, -1).result())
    executor.shutdown()
    threads = ThreadPoolExecutor(1)
    print(threads.submit(abs, -2).result())
    pool = ThreadPool(1)
    pool.terminate()
    process = multiprocessing.Process(target=print, args=(3,))
    process.start()
    process.join()
    print(subprocess.check_output(["echo", "4"], text=True))
"""
    write(tmp_path, {"main.py": PATCH[pool] + main})
    assert examine(tmp_path, pool, "main.py")["stale"] == []

"""Libraries in C that wait for the network by themselves, where no patch of Python reaches: all that are known.

What makes one cooperate with a patch is told by the audit module of that patch, see
:class:`pools.spec.PatchRequirement`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple


class Extension(NamedTuple):
    """A library that blocks.

    Attributes:
        module: The module in C, which is imported when the library is used.
        name: What programs import.
        blocks: What waits in C.
        source: Where that is documented.
        instead: What to do where nothing makes it cooperate.
        cooperates: Whether it was made to, given the module; None if that cannot be.
    """

    module: str
    name: str
    blocks: str
    source: str
    instead: str
    cooperates: Callable[[Any], bool] | None = None


class Help(NamedTuple):
    """What makes a library cooperate with a patch.

    Attributes:
        advice: What to do.
        in_effect: Whether that was done; None if :attr:`Extension.cooperates` tells.
    """

    advice: str
    in_effect: Callable[[], bool] | None = None


def _has_wait_callback(_module: Any) -> bool:
    return sys.modules["psycopg2.extensions"].get_wait_callback() is not None


def _is_thin(_module: Any) -> bool:
    return bool(sys.modules["oracledb"].is_thin_mode())


_OTHER_POOL = "run what uses it in a pool of threads or processes"

EXTENSIONS = (
    Extension(
        "psycopg2._psycopg",
        "psycopg2",
        "libpq's connections",
        "psycopg2's documentation, 'Support for coroutine libraries'",
        "register a wait callback with psycopg2.extensions.set_wait_callback",
        _has_wait_callback,
    ),
    Extension(
        "MySQLdb._mysql",
        "MySQLdb",
        "libmysqlclient's connections",
        "eventlet's documentation of monkey_patch(), on MySQLdb",
        "use PyMySQL (pymysql.install_as_MySQLdb()), which is written in Python",
    ),
    Extension(
        "grpc._cython.cygrpc",
        "grpc",
        "gRPC's calls, which wait in its core",
        "grpc/_cython/_cygrpc/grpc_gevent.pyx.pxi, and grpc.experimental.gevent",
        _OTHER_POOL,
    ),
    Extension(
        "zmq.backend.cython._zmq",
        "zmq",
        "libzmq's sockets",
        "pyzmq's documentation, 'Using PyZMQ with gevent'",
        _OTHER_POOL,
    ),
    Extension(
        "pycurl",
        "pycurl",
        "libcurl's perform()",
        "libcurl's documentation of curl_easy_perform: it blocks until the transfer is done",
        "use a client in Python, such as urllib3, requests or httpx",
    ),
    Extension(
        "oracledb.thick_impl",
        "oracledb",
        "connections in thick mode, which are Oracle's client library's",
        "python-oracledb's documentation, 'Enabling python-oracledb Thick mode'",
        "stay in thin mode: do not call oracledb.init_oracle_client()",
        _is_thin,
    ),
    Extension(
        "cx_Oracle",
        "cx_Oracle",
        "connections, which are Oracle's client library's",
        "cx_Oracle's documentation, 'Architecture'",
        "use oracledb in thin mode",
    ),
    Extension(
        "confluent_kafka.cimpl",
        "confluent_kafka",
        "poll(), consume() and flush() of librdkafka",
        "librdkafka's INTRODUCTION.md, on its threads, and confluent_kafka's documentation of poll()",
        "poll with timeout 0, or use kafka-python, which is written in Python",
    ),
    Extension("_pylibmc", "pylibmc", "libmemcached's connections", "pylibmc's documentation", "use pymemcache"),
    Extension("pyodbc", "pyodbc", "ODBC's connections", "pyodbc's wiki, 'Features beyond the DB API'", _OTHER_POOL),
    Extension("_ldap", "ldap", "libldap's connections", "python-ldap's documentation", "use ldap3"),
)


def blocking(helps: Mapping[str, Help]) -> Iterator[tuple[Extension, str]]:
    """Yield each library in use that blocks, and what to do about it.

    Args:
        helps: What makes a library cooperate with the patch that is in effect, by its name.
    """
    for extension in EXTENSIONS:
        module = sys.modules.get(extension.module)
        if module is None:
            continue
        aid = helps.get(extension.name)
        if aid is not None and aid.in_effect is not None and aid.in_effect():
            continue
        if extension.cooperates is not None and extension.cooperates(module):
            continue
        yield extension, aid.advice if aid is not None else extension.instead

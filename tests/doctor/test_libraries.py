"""Well-known libraries, imported after the patch, hold nothing: only what is true is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doctor.doctor import POOLS, examine, write
from tests.needs import needs

LIBRARIES = {
    "boto3": "import boto3, botocore.session\nclient = boto3.session.Session()\n",
    "celery": "import celery\napp = celery.Celery('app', broker='memory://')\n"
    "import celery.worker, celery.bin.celery\n",
    "cryptography": "import cryptography.x509\n"
    "from cryptography.fernet import Fernet\nkey = Fernet(Fernet.generate_key())\n",
    "django": "import django.conf\ndjango.conf.settings.configure()\ndjango.setup()\n"
    "import django.contrib.admin, django.db.models, django.forms, django.test, django.views.generic\n",
    "flask": "import flask\napp = flask.Flask('app')\nfrom flask import g, request\n",
    "grpc": "import grpc\n",
    "httpx": "import httpx\nclient = httpx.Client()\n",
    "kombu": "import kombu, kombu.transport.redis\nconnection = kombu.Connection('memory://')\n",
    "psycopg2": "import psycopg2, psycopg2.pool\n",
    "pymysql": "import pymysql\n",
    "redis": "import redis\nclient = redis.Redis()\n",
    "requests": "import requests\nsession = requests.Session()\n",
    "sqlalchemy": "import sqlalchemy.orm\nengine = sqlalchemy.create_engine('sqlite://')\n",
    "urllib3": "import urllib3\npool = urllib3.PoolManager()\n",
}

#: Those that do block, under each pool.
BLOCKING = {"gevent": {"grpc", "psycopg2"}, "eventlet": {"grpc"}}


@pytest.mark.parametrize("pool", POOLS)
def test_together_only_what_blocks_in_c_is_found(tmp_path: Path, pool: str) -> None:
    needs(*LIBRARIES)
    write(tmp_path, {f"with_{name}.py": source for name, source in LIBRARIES.items()})
    write(tmp_path, {"everything.py": "".join(f"import with_{name}\n" for name in LIBRARIES)})
    stale = examine(tmp_path, pool, "-A", "everything")["stale"]
    assert {item["module"] for item in stale} == BLOCKING[pool], stale
    assert {item["kind"] for item in stale} == {"C extension"}

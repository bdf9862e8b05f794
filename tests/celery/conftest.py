"""Private brokers for the tests of workers, each started once in a process of tests and ended with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.celery import brokers


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The URL of a Redis, without a database."""
    if reason := brokers.missing("redis-server"):
        pytest.skip(reason)
    with brokers.redis() as url:
        yield url


@pytest.fixture(scope="session")
def rabbitmq_url() -> Iterator[str]:
    """The URL of a RabbitMQ."""
    if reason := brokers.missing("rabbitmq-server"):
        pytest.skip(reason)
    with brokers.rabbitmq() as url:
        yield url

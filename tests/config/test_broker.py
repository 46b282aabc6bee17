"""What becomes of messages whose connection to Redis is gone before their task has ended."""

import shutil
from collections.abc import Iterator

import pytest
from kombu import Connection
from kombu.message import Message

from tests.faults.servers import PrivateRedis, private_redis

pytestmark = pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server")


@pytest.fixture
def broker() -> Iterator[PrivateRedis]:
    with private_redis() as server:
        yield server


def connected(server: PrivateRedis) -> Connection:
    return Connection(server.url, transport="config.broker:Transport")


def delivered(connection: Connection) -> Message:
    """A message that was taken and not acknowledged."""
    queue = connection.SimpleQueue("bells")
    queue.put("ring")
    return queue.get(timeout=5)


def test_a_message_of_a_lost_connection_is_let_go(broker: PrivateRedis) -> None:
    with connected(broker) as first, connected(broker) as second:
        acknowledged, rejected = delivered(first), delivered(second)
        # What Celery does to the channel when a connection breaks.
        acknowledged.channel.close()
        rejected.channel.close()
        acknowledged.ack()
        rejected.reject(requeue=True)
    assert acknowledged.acknowledged
    assert rejected.acknowledged


def test_a_connection_that_closes_puts_nothing_back(broker: PrivateRedis) -> None:
    connection = connected(broker)
    delivered(connection)
    connection.close()
    with connected(broker) as again:
        assert again.default_channel.client.llen("bells") == 0


def test_a_message_is_acknowledged_while_its_connection_lives(broker: PrivateRedis) -> None:
    with connected(broker) as connection:
        message = delivered(connection)
        assert connection.default_channel.client.hlen("unacked") == 1
        message.ack()
        assert connection.default_channel.client.hlen("unacked") == 0

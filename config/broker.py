"""Redis as Celery's broker, for workers that survive a broken connection.

If a connection breaks during a task, kombu's own channel later acknowledges and restores the task's message through the
closed connection, and the error ends the worker. Here the message is dropped: it only wakes a worker. The database
holds the work, and the sweep wakes workers again. It can go once kombu survives this (`tests.faults` shows).
"""

from typing import Any

from kombu.transport import redis


class Channel(redis.Channel):
    do_restore = False

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        if not self._is_gone():
            super().basic_ack(delivery_tag, multiple=multiple)

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        if not self._is_gone():
            super().basic_reject(delivery_tag, requeue=requeue)

    def _is_gone(self) -> bool:
        transport: Any = self.connection
        return self.closed or transport is None or transport.client is None


class Transport(redis.Transport):
    Channel = Channel

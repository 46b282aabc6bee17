"""Redis as Celery's broker, made to survive a lost connection: a message only wakes a worker.

The database holds the work, and the sweep wakes a worker again if a message is lost. When a connection breaks during a
task, kombu's own channel later acknowledges and restores that task's message through the closed connection, and the
error ends the worker; here such a message is dropped.
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

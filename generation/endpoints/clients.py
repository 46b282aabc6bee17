"""The clients of a process, one for each target, and the target that an endpoint stands for."""

from django.conf import settings

from generation.endpoints.client import Client, Target
from generation.models import Endpoint

MOST_KEPT = 32


class Clients:
    """Clients made once and kept from task to task; they belong to the event loop that first sends with them."""

    def __init__(self) -> None:
        self._kept: dict[Target, Client] = {}

    def get(self, target: Target) -> Client:
        """The same client as long as address, key and limits stay, else a new one. Raises CallError."""
        client = self._kept.pop(target, None) or Client(target)
        self._kept[target] = client  # the last used stands last
        return client

    async def close_oldest(self) -> None:
        """Keep the MOST_KEPT last used; call it while nothing is in flight."""
        for target in list(self._kept)[:-MOST_KEPT]:
            await self._kept.pop(target).close()

    async def close(self) -> None:
        while self._kept:
            _, client = self._kept.popitem()
            await client.close()


def target_of(endpoint: Endpoint) -> Target:
    """The client's view of an endpoint; raises KeysMissingError if the stored key cannot be decrypted."""
    return Target(
        base_url=endpoint.base_url,
        api_key=endpoint.api_key(),
        timeout=endpoint.timeout_seconds,
        connections=endpoint.max_in_flight + 1,
        allowed_hosts=tuple(settings.ENDPOINT_ALLOWED_HOSTS),
    )

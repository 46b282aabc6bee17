"""The clients of a process: one a target, made once and kept from task to task."""

from generation.endpoints.client import Client, Target

MOST_KEPT = 32


class Clients:
    """They belong to the event loop that first sends with them."""

    def __init__(self) -> None:
        self._kept: dict[Target, Client] = {}

    def get(self, target: Target) -> Client:
        """The same client for as long as address, key and limits stay; a change makes another. Raises CallError."""
        client = self._kept.pop(target, None) or Client(target)
        self._kept[target] = client  # the last used stands last
        return client

    async def close_oldest(self) -> None:
        """Keep only so many; call it while nothing is in flight."""
        for target in list(self._kept)[:-MOST_KEPT]:
            await self._kept.pop(target).close()

    async def close(self) -> None:
        while self._kept:
            _, client = self._kept.popitem()
            await client.close()

"""An endpoint as the client knows it: where to send, with which key, within which limits."""

from django.conf import settings

from generation.endpoints.client import Target
from generation.models import Endpoint


def target_of(endpoint: Endpoint) -> Target:
    """Raises KeysMissingError where the stored key cannot be opened."""
    return Target(
        base_url=endpoint.base_url,
        api_key=endpoint.api_key(),
        timeout=endpoint.timeout_seconds,
        connections=endpoint.max_in_flight + 1,
        allowed_hosts=tuple(settings.ENDPOINT_ALLOWED_HOSTS),
    )

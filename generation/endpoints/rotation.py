"""Moving every stored API key under the newest encryption key, so that an older one can be thrown away."""

from django.db import transaction

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from generation.endpoints import keys
from generation.models import Endpoint


@transaction.atomic
def rotate_keys() -> tuple[list[str], list[str]]:
    """The names of the endpoints whose keys are under the newest encryption key now, and of those nobody can open.

    The latter stay as they are, so that the key that wrote them can be put back. Raises KeysMissingError where there
    is no usable encryption key at all.
    """
    keys.must_be_usable()
    rotated, unopened = [], []
    # Locked, so that a key that is entered meanwhile is not written over with the one before it.
    for endpoint in Endpoint.objects.select_for_update().exclude(encrypted_key="").order_by("name"):
        try:
            endpoint.encrypted_key = keys.rotate(endpoint.encrypted_key)
        except keys.KeysMissingError:
            unopened.append(endpoint.name)
            continue
        endpoint.save(update_fields=["encrypted_key"])
        AuditEvent.record(None, AuditVerb.ENDPOINT_KEY_ROTATED, endpoint)
        rotated.append(endpoint.name)
    return rotated, unopened

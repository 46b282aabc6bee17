"""Uploading a file in tests of the import pages."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

IMPORT = "/corpora/import/"
WHATSAPP = """\
31/12/2024, 14:05 - Messages and calls are end-to-end encrypted. Tap to learn more.
31/12/2024, 14:05 - Mary Okafor: hi Tom
31/12/2024, 14:05 - Mary Okafor: are you coming tonight?
31/12/2024, 14:06 - Mary Okafor: <Media omitted>
31/12/2024, 14:11 - Tom: yes!
31/12/2024, 14:15 - Mary Okafor: write to mary@example.org
01/01/2025, 10:02 - Tom: happy new year
"""


def upload(client: Client, content: str, name: str = "my chats.txt", **fields: Any) -> Any:
    """The answer to an upload: a redirect to its preview, or the page with the reason why it was refused."""
    data = {"file": SimpleUploadedFile(name, content.encode()), "file_format": "auto", **fields}
    return client.post(IMPORT, data)

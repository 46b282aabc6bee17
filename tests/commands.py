"""Management commands, called as a terminal would."""

import json
from io import StringIO
from typing import Any

from django.core.management import call_command


def said_by(command: str, *arguments: object) -> Any:
    """What a command prints on stdout: with --json what that means, else its text."""
    out = StringIO()
    call_command(command, *map(str, arguments), stdout=out)
    return json.loads(out.getvalue()) if "--json" in arguments else out.getvalue()

"""The environment for fine-tuning: torch and what trains with it, apart from the product's own."""

import os

from django.conf import settings


class NoEnvironmentError(Exception):
    """It is not there; the text says what to do."""


def finetune_python(what: str) -> str:
    """Its Python, for `what`, the subject of the sentence that refuses; raises NoEnvironmentError."""
    python: str = settings.FINETUNE_PYTHON
    if not os.access(python, os.X_OK):
        raise NoEnvironmentError(
            f"{what} needs the environment for fine-tuning, and there is none at {python}. Run make finetune-install, "
            "or name its Python in FINETUNE_PYTHON."
        )
    return python

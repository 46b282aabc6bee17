"""Push a training set to a hub with a person's own token; nothing is ever pushed unless somebody asks for it."""

import os
import re
import subprocess
from pathlib import Path

from django.conf import settings

from dialogues.models import Corpus, PersonalData
from generation.training.environment import NoEnvironmentError, finetune_python

# A push of gigabytes over a slow line takes hours.
LONGEST_SECONDS = 6 * 3600
_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)


class HubError(Exception):
    """Nothing was pushed; the text says why, and what to do."""


def check_repo(repo: str) -> None:
    """Raises HubError."""
    if not _REPO.fullmatch(repo):
        raise HubError(f"{repo!r} is not the name of a data set. Write OWNER/NAME, as in the hub's addresses.")


def refuse_without_consent(corpus: Corpus) -> None:
    """Raise HubError for personal data unless it is written down what the people agreed to."""
    if corpus.personal_data == PersonalData.YES and not corpus.consent:
        raise HubError(f"{corpus.privacy_notice} Record what they agreed to with the corpus; then it can be pushed.")


def hub_python() -> str:
    """The Python that has huggingface_hub; raises HubError."""
    try:
        return finetune_python("Pushing")
    except NoEnvironmentError as error:
        raise HubError(str(error)) from error


def push(folder: Path, repo: str, *, token: str, public: bool) -> str:
    """Upload an exported folder; returns its address on the hub. Raises HubError."""
    command = [hub_python(), "-m", "generation.training.hub_upload", str(folder), repo]
    # The token goes by the environment: other accounts of the machine can read command lines.
    environment = {
        **os.environ,
        "HF_TOKEN": token,
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    try:
        done = subprocess.run(  # noqa: S603 - the command is ours, and no shell reads it
            [*command, *(["--public"] if public else [])],
            cwd=settings.BASE_DIR,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise HubError(f"The hub took longer than {LONGEST_SECONDS // 3600} hours. Try again.") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise HubError(said[-1] if said else "The upload failed and said nothing.")
    return done.stdout.strip().splitlines()[-1]

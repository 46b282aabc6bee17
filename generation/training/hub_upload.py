"""Upload a folder to a hub as a data set: `python -m generation.training.hub_upload FOLDER OWNER/NAME [--public]`.

It runs in the environment for fine-tuning, which has huggingface_hub, and knows neither Django nor the database. The
person's token is in HF_TOKEN; HF_ENDPOINT names another hub. Prints the address; an error is a sentence on stderr.
"""

import argparse
import sys
from pathlib import Path

MESSAGE = "Upload a training set"


class UploadError(Exception):
    """Nothing was uploaded; the text says why."""


def upload(folder: Path, repo: str, *, public: bool) -> str:
    """Returns the address; raises UploadError.

    A data set that is there keeps its visibility, so a private upload into a public one is refused.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    api = HfApi()
    try:
        api.create_repo(repo, repo_type="dataset", private=not public, exist_ok=True)
        if not public and not api.dataset_info(repo).private:
            raise UploadError(f"{repo} is public already. Choose another name, or add --public.")
        api.upload_folder(repo_id=repo, folder_path=folder, repo_type="dataset", commit_message=MESSAGE)
    except HFValidationError as error:
        raise UploadError(f"{repo} is not a name that the hub takes: {error}") from error
    except HfHubHTTPError as error:
        raise UploadError(f"The hub refused: {error.server_message or error}") from error
    except OSError as error:
        raise UploadError(f"The hub could not be reached: {error}") from error
    return f"{api.endpoint}/datasets/{repo}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Upload a folder to a hub as a data set.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("repo", metavar="OWNER/NAME")
    parser.add_argument("--public", action="store_true")
    given = parser.parse_args()
    try:
        address = upload(given.folder, given.repo, public=given.public)
    except ImportError:
        sys.stderr.write("This Python has no huggingface_hub. Run make finetune-install again.\n")
        return 1
    except UploadError as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        return 1
    sys.stdout.write(f"{address}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

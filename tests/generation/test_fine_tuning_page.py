"""The commands of docs/fine-tuning.md are commands that the programs take."""

import re
import shlex
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from generation.training.finetune import options

PAGE = Path(__file__).resolve().parents[2] / "docs/fine-tuning.md"
MODULE = "generation.training.finetune"
SERVERS = {"vllm"}


def typed() -> list[str]:
    """Every line of the page that is typed in a shell."""
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]


def test_the_page_has_the_whole_way() -> None:
    verbs = {words[3] for line in typed() if (words := shlex.split(line))[1:3] == ["manage.py", "training"]}
    assert verbs == {"build", "show", "run", "export", "upload", "register", "card"}


@pytest.mark.parametrize("line", typed())
def test_each_command_of_the_page_is_understood(line: str) -> None:
    words = shlex.split(line)
    if words[:2] == ["python", "manage.py"]:
        command = load_command_class(get_commands()[words[2]], words[2])
        found = command.create_parser("manage.py", words[2]).parse_args(words[3:])
        if getattr(found, "others", None):
            of_model = ["--from-config", "tiny"] if found.from_config else ["--base", "a"]
            assert options.read(["data", "--out", "out", *of_model, *found.others]).data == Path("data")
    elif MODULE in words:
        assert options.read(words[words.index(MODULE) + 1 :]).report.endswith("/events/")
    elif words[0] == "make":
        assert re.search(rf"^{words[1]}:", (PAGE.parents[1] / "Makefile").read_text(), re.MULTILINE)
    else:
        assert words[0] in SERVERS, f"nothing checks {words[0]}"

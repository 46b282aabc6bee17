"""A training set as a directory: all or nothing, the same bytes each time, and every example in every form."""

import hashlib
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dialogues.models import Corpus, Dialogue
from generation.models import TrainingSet
from generation.training import directory
from generation.training.directory import DirectoryError
from generation.training.examples import examples_of
from generation.training.targets.registry import UnknownTargetError
from tests.dialogues.rows import add_dialogue
from tests.generation.training_sets import built_set

pytestmark = pytest.mark.django_db

SAID = [[1, "hi"], [1, "you there?"], [2, "yes"], [2, "always"], [1, "good"], [2, "and\u2028you? é 😀"]]
BETA = [[1, "hi, you there?"], [2, "Yes, always."], [1, "Good."], [2, "And you?"]]


@pytest.fixture
def corpus() -> Corpus:
    return Corpus.objects.create(name="Chats", licence="CC BY 4.0", source="https://example.org/chats")


def dialogues(corpus: Corpus, count: int = 8, **fields: object) -> list[Dialogue]:
    return [
        add_dialogue(corpus, f"d{number}", SAID, theme="A walk.", traits_1=["I bake."], traits_2=["I run."], **fields)
        for number in range(count)
    ]


def preference_set(corpus: Corpus) -> TrainingSet:
    better = dialogues(corpus)
    worse = [add_dialogue(corpus, f"{row.key}.beta", BETA, "beta", origin=row) for row in better]
    return built_set(corpus, better, worse, validation=0.2, test=0.2)


def every_file(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("kind", ["dialogues", "preferences"])
def test_a_second_export_has_the_same_bytes(corpus: Corpus, tmp_path: Path, kind: str) -> None:
    made = preference_set(corpus) if kind == "preferences" else built_set(corpus, dialogues(corpus))
    directory.write(made, tmp_path / "a")
    directory.write(made, tmp_path / "b")
    assert every_file(tmp_path / "a") == every_file(tmp_path / "b")


def test_every_form_holds_every_example_with_the_same_words_in_the_same_order(corpus: Corpus, tmp_path: Path) -> None:
    made = built_set(corpus, dialogues(corpus), validation=0.2, test=0.2)
    manifest = directory.write(made, tmp_path / "out")
    assert sum(manifest.examples.values()) == len(list(examples_of(made))) == 16
    for split, count in manifest.examples.items():
        wanted = [
            [{"role": turn.role, "content": turn.content} for turn in example.turns]
            for item, example in examples_of(made)
            if item.split == split
        ]
        rows = pq.read_table(tmp_path / "out" / "data" / f"{split}.parquet").to_pylist()
        assert [row["messages"] for row in rows] == wanted
        assert len(wanted) == count
        for folder in ("openai", "trl/messages", "axolotl"):
            assert [row["messages"] for row in lines(tmp_path / "out" / folder / f"{split}.jsonl")] == wanted
        flat = lines(tmp_path / "out" / "llamafactory" / f"{split}.jsonl")
        assert [[{"role": "system", "content": row["system"]}, *row["messages"]] for row in flat] == wanted
        prompted = lines(tmp_path / "out" / "trl" / "prompt_completion" / f"{split}.jsonl")
        turns = [(said[:place], [said[place]]) for said in wanted for place in range(2, len(said), 2)]
        assert [(row["prompt"], row["completion"]) for row in prompted] == turns


def test_preferences_are_written_for_every_reader(corpus: Corpus, tmp_path: Path) -> None:
    made = preference_set(corpus)
    directory.write(made, tmp_path / "out")
    [row] = pq.read_table(tmp_path / "out" / "data" / "test.parquet").slice(0, 1).to_pylist()
    assert (row["side"], row["turn"], row["version"], row["worse_version"]) == (1, 1, "alpha", "beta")
    assert [row[name][0]["content"] for name in ("chosen", "rejected")] == ["good", "Good."]
    trl = lines(tmp_path / "out" / "trl" / "preference" / "test.jsonl")[0]
    assert trl == {name: row[name] for name in ("prompt", "chosen", "rejected")}
    openai = lines(tmp_path / "out" / "openai" / "test.jsonl")[0]
    assert openai["input"] == {"messages": row["prompt"]}
    assert (openai["preferred_output"], openai["non_preferred_output"]) == (row["chosen"], row["rejected"])
    factory = lines(tmp_path / "out" / "llamafactory" / "test.jsonl")[0]
    assert [{"role": "system", "content": factory["system"]}, *factory["messages"]] == row["prompt"]
    axolotl = lines(tmp_path / "out" / "axolotl" / "test.jsonl")[0]
    assert axolotl == {"messages": row["prompt"], "chosen": row["chosen"][0], "rejected": row["rejected"][0]}


def test_the_manifest_has_the_hash_of_every_other_file_and_counts_what_each_holds(
    corpus: Corpus, tmp_path: Path
) -> None:
    made = built_set(corpus, dialogues(corpus, is_demo=True), validation=0.2, test=0.2, seed=7)
    directory.write(made, tmp_path / "out")
    written = every_file(tmp_path / "out")
    manifest = json.loads(written.pop("manifest.json"))
    hashes = {path: hashlib.sha256(data).hexdigest() for path, data in written.items()}
    assert {path: file["sha256"] for path, file in manifest["files"].items()} == hashes
    assert manifest["files"]["openai/train.jsonl"]["examples"] == manifest["examples"]["train"]
    assert manifest["files"]["trl/prompt_completion/train.jsonl"]["examples"] > manifest["examples"]["train"]
    assert manifest["sha256"] == made.sha256
    assert (manifest["name"], manifest["version"], manifest["seed"]) == ("Set", 1, 7)
    assert manifest["labels"] == {"demo": True, "simulated": False}


def test_no_line_of_a_file_is_cut_where_a_message_holds_another_line_end(corpus: Corpus, tmp_path: Path) -> None:
    directory.write(built_set(corpus, dialogues(corpus)), tmp_path / "out", targets=["openai"])
    text = (tmp_path / "out" / "openai" / "train.jsonl").read_text(encoding="utf-8")
    assert len(text.splitlines()) == text.count("\n")
    assert "and\\u2028you? é 😀" in text


def test_labels_and_notices_stand_on_the_card_and_in_the_manifest(corpus: Corpus, tmp_path: Path) -> None:
    corpus.personal_data, corpus.consent = "yes", "research only"
    corpus.save(update_fields=["personal_data", "consent"])
    made = built_set(corpus, dialogues(corpus, is_demo=True))
    made.counts = {
        "labels": {"demo": True, "simulated": True},
        "filters": [{"label": "Most messages 9", "dropped": 4}, {"label": "Approved", "dropped": 0}],
        "refused": [{"dialogues": 2, "words": "The text holds the delimiter."}],
        "cut": [{"turns": 3, "words": "last turns"}],
    }
    directory.write(made, tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    for words in ("demo model's rules", "simulator", "research only", "- demo-content", "license: cc-by-4.0"):
        assert words in card
    assert "- 4 by the filter “Most messages 9”.\n- 2 dialogues from one side or both. The text holds" in card
    assert "- 3 last turns." in card
    assert "Approved" not in card
    assert len(json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))["notices"]) == 3
    assert "research only" in (tmp_path / "out" / "croissant.json").read_text(encoding="utf-8")


def test_one_target_comes_alone_with_its_card_and_manifest(corpus: Corpus, tmp_path: Path) -> None:
    made = built_set(corpus, dialogues(corpus), validation=0, test=0)
    directory.write(made, tmp_path / "out", targets=["llamafactory"])
    expected = {"README.md", "manifest.json", "llamafactory/train.jsonl", "llamafactory/dataset_info.json"}
    assert set(every_file(tmp_path / "out")) == expected
    with pytest.raises(UnknownTargetError, match="trl-preference"):
        directory.write(made, tmp_path / "other", targets=["trl-preference"])
    assert not (tmp_path / "other").exists()


def test_a_set_whose_dialogues_have_changed_is_not_written(corpus: Corpus, tmp_path: Path) -> None:
    made = built_set(corpus, dialogues(corpus))
    Dialogue.objects.filter(key="d3").update(messages=[*SAID[:-1], [2, "and thou?"]])
    with pytest.raises(DirectoryError, match="Build the set again"):
        directory.write(made, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_only_an_earlier_export_is_ever_replaced(corpus: Corpus, tmp_path: Path) -> None:
    made = built_set(corpus, dialogues(corpus))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("years of work")
    with pytest.raises(DirectoryError, match="no exported training set"):
        directory.write(made, tmp_path / "home", replace=True)
    (tmp_path / "empty").mkdir()
    directory.write(made, tmp_path / "empty", targets=["openai"])
    with pytest.raises(DirectoryError, match="--force"):
        directory.write(made, tmp_path / "empty")
    directory.write(made, tmp_path / "empty", targets=["axolotl"], replace=True)
    assert not (tmp_path / "empty" / "openai").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "home"]


def test_what_stops_the_writing_leaves_nothing_behind(corpus: Corpus, tmp_path: Path) -> None:
    def stop(done: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        directory.write(built_set(corpus, dialogues(corpus)), tmp_path / "out", tell=stop)
    assert list(tmp_path.iterdir()) == []

"""The trainer: what it refuses before anything is loaded, what it decides, and what it reports."""

import hashlib
import json
import os
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from generation.training.events import Event, EventKind, read_events
from generation.training.finetune import base, machine, posting
from generation.training.finetune.__main__ import main
from generation.training.finetune.base import SIZES
from generation.training.finetune.data import Row, asked, open_set
from generation.training.finetune.decisions import Facts, Plan, decide
from generation.training.finetune.folder import Folder
from generation.training.finetune.journal import WrittenJournal
from generation.training.finetune.machine import Card
from generation.training.finetune.measures import Reply, TrainedOn, figures
from generation.training.finetune.memory import Load, Shape, estimate
from generation.training.finetune.options import Options, read
from generation.training.finetune.posting import Poster
from generation.training.finetune.refusals import RefusedError
from tests.generation.finetuned import train
from tests.waiting import until

LLAMA_3_8B = {
    "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    "intermediate_size": 14336, "vocab_size": 128256, "max_position_embeddings": 8192,
}  # fmt: skip
CHAT = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello.<|msg|>You?"}]
FACTS = Facts(
    examples=10_914, longest=700, limit=8192, hidden=4096, has_card=True, has_bf16=True, card_bytes=80 << 30,
    processes=1, has_validation=True,
)  # fmt: skip


def export(folder: Path, *, kind: str = "dialogues", **splits: list[list[dict[str, str]]]) -> Path:
    """A folder with these examples, as `training export` lays it out."""
    (folder / "data").mkdir(parents=True)
    files = {}
    for split, chats in (splits or {"train": [CHAT]}).items():
        path = folder / "data" / f"{split}.parquet"
        pq.write_table(
            pa.Table.from_pylist([{"name": f"d{n}/1", "messages": chat} for n, chat in enumerate(chats)]), path
        )
        content = path.read_bytes()
        files[f"data/{split}.parquet"] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    manifest = {"name": "Set", "version": 1, "kind": kind, "delimiter": "<|msg|>", "sha256": "f" * 64, "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = main([str(one) for one in arguments])
    return code, capsys.readouterr().err.strip()


def chat(*replies: str) -> list[dict[str, str]]:
    return [
        message
        for reply in replies
        for message in ({"role": "user", "content": "Go on."}, {"role": "assistant", "content": reply})
    ]


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ([], 2, "Name one model to train"),
        (["--base", "x/y", "--from-config", "tiny"], 2, "Name one model to train"),
        (["--from-config", "tiny", "--epochs", "0"], 2, "--epochs must be above 0"),
        (["--from-config", "tiny", "--max-length", "-1"], 2, "--max-length must not be negative"),
        (["--from-config", "huge"], 2, "--from-config takes tiny, 1b or a JSON file"),
        (["--from-config", "tiny", "--method", "dpo"], 2, "train on it with --method lora or full"),
        (["--from-config", "tiny", "--report", "example.org"], 2, "beginning with https:// or http://"),
        (["--from-config", "tiny", "--report", "https://example.org/e/"], 2, "Set STEPHANIE_TOKEN"),
        (["--from-config", "tiny", "--resume"], 2, "holds no training"),
        (["--from-config", "tiny"], 1, "Run make finetune-install first"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: list[str], code: int, said: str
) -> None:
    """The last of them: the product's own environment, in which these tests run, holds nothing that trains."""
    out = tmp_path / "out"
    got, why = refusal(capsys, export(tmp_path / "set"), "--out", out, *given)
    assert (got, said in why, len(why.splitlines())) == (code, True, 1), why
    assert not out.exists()


@pytest.mark.slow
def test_a_dry_run_counts_tokens_with_the_model_s_own_tokenizer_and_writes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = train(export(tmp_path / "set", train=[CHAT, CHAT]), out, "--from-config", "tiny", "--dry-run").stdout
    longest = re.search(r"Length (\d+) tokens: the longest example", said)
    assert longest
    assert f"The 2 examples to train on have {2 * int(longest[1])} tokens." in said
    assert [path.name for path in out.iterdir()] == ["trainer.lock"]


@pytest.mark.parametrize(
    ("splits", "said"),
    [
        ({"test": [CHAT]}, "has no example to train on"),
        ({"train": [chat("Hello.<|msg|>")]}, "holds the delimiter '<|msg|>'"),
        ({"train": [CHAT], "test": [chat("So <|eot_id|> it ends")]}, "holds <|eot_id|>"),
    ],
)
def test_data_that_would_train_something_else_are_refused(
    tmp_path: Path, splits: dict[str, list[list[dict[str, str]]]], said: str
) -> None:
    with pytest.raises(RefusedError, match=r"\.$") as refused:
        open_set(export(tmp_path / "set", **splits), "lora")
    assert said in str(refused.value)


def test_data_that_changed_since_the_export_are_refused(tmp_path: Path) -> None:
    folder = export(tmp_path / "set", train=[CHAT], test=[CHAT])
    (folder / "data" / "test.parquet").unlink()
    with pytest.raises(RefusedError, match="differs from what the manifest says"):
        open_set(folder, "lora")
    export(tmp_path / "other", train=[CHAT, CHAT])
    (tmp_path / "other" / "data" / "train.parquet").replace(folder / "data" / "train.parquet")
    with pytest.raises(RefusedError, match="differs from what the manifest says"):
        open_set(folder, "lora")


def test_a_folder_that_is_no_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="training export SET --output DIR"):
        open_set(tmp_path, "lora")
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(RefusedError, match="is no manifest"):
        open_set(tmp_path, "lora")


def test_every_reply_is_asked_for_with_what_was_said_before_and_of_a_preference_the_last() -> None:
    messages = chat("One.", "Two.")
    assert [one.reply for one in asked([Row("d", messages)])] == ["One.", "Two."]
    (last,) = asked([Row("d", messages, rejected="Three.")])
    assert (last.prompt, last.reply) == (messages[:3], "Two.")


def test_a_resumed_training_keeps_its_choices_and_refuses_others() -> None:
    begun = Options(Path("set"), Path("out"), base="a/b", rank=8).choices()
    resumed = read(["set", "--out", "out", "--resume"], json.loads(json.dumps(begun)))
    assert (resumed.base, resumed.rank, resumed.resume) == ("a/b", 8, True)
    with pytest.raises(RefusedError, match="began with --rank 8"):
        read(["set", "--out", "out", "--resume", "--rank", "16"], begun)


def test_a_folder_that_holds_a_training_is_not_written_over(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.require_unused()
    folder.begin(Options(Path("set"), tmp_path, base="a/b"), "f" * 64)
    with pytest.raises(RefusedError, match="Go on with --resume"):
        folder.require_unused()
    assert folder.stored()["data_sha256"] == "f" * 64


def test_a_finished_training_is_not_resumed_and_tells_nothing_of_the_attempt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = export(tmp_path / "set", train=[CHAT]), tmp_path / "out"
    out.mkdir()
    Folder(out).begin(Options(data, out, from_config="tiny"), "f" * 64)
    assert "is not finished. Go on with --resume" in refusal(capsys, data, "--out", out, "--check-only")[1]
    told = Event(1, "2026-11-30T02:00:00+00:00", EventKind.FINISHED, {}).line()
    (out / "events.jsonl").write_text(told)
    code, why = refusal(capsys, data, "--out", out, "--resume")
    assert (code, "is finished. Check it again with --check-only" in why) == (2, True), why
    assert (out / "events.jsonl").read_text() == told


def test_two_trainers_do_not_work_in_one_folder(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with folder.lock(), pytest.raises(RefusedError, match="Another trainer is at work"):
        folder.lock()
    folder.lock().close()


def test_a_checkpoint_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert folder.last_checkpoint() is None
    for step, state in ((9, "{}"), (10, "{}"), (11, '{"epoch": '), (12, None)):
        place = folder.checkpoints / f"checkpoint-{step}"
        place.mkdir(parents=True)
        if state:
            (place / "trainer_state.json").write_text(state)
    found = folder.last_checkpoint()
    assert found
    assert found.name == "checkpoint-10"


def plan(facts: Facts = FACTS, **options: object) -> Plan:
    chosen = Options(Path("set"), Path("out"), base="a/b", **options)  # type: ignore[arg-type]
    return decide(chosen, facts, Shape.of(LLAMA_3_8B))


def test_the_paper_s_set_on_one_card_of_80_gigabytes_is_trained_as_decided() -> None:
    made = plan()
    assert (made.learning_rate, made.max_length, made.batch) == (2e-4, 700, 64)
    assert made.per_device * made.accumulation == 64
    assert (made.bf16, made.gradient_checkpointing) == (True, True)
    assert made.steps == 3 * 171
    assert made.parameters(Options(Path("s"), Path("o"), base="a/b"))["target_modules"] == "all-linear"


def test_every_decision_has_a_reason_that_is_a_sentence() -> None:
    reasons = plan().reasons
    assert set(reasons) == {"learning_rate", "max_length", "bf16", "batch", "per_device", "eval_every"}
    assert all(reason.endswith(".") for reason in reasons.values())


@pytest.mark.parametrize(
    ("options", "rate"),
    [
        ({"method": "full"}, 2e-5),
        ({"method": "dpo"}, 5e-6),
        ({"learning_rate": 3e-4}, 3e-4),
        ({"method": "full", "from_config": "tiny"}, 0.6 / 4096),
    ],
)
def test_the_learning_rate_follows_the_method(options: dict[str, object], rate: float) -> None:
    assert plan(**options).learning_rate == pytest.approx(rate)


def test_a_processor_trains_in_float32_and_a_small_set_gets_enough_steps() -> None:
    host = FACTS.__class__(**{**_fields(FACTS), "has_card": False, "has_bf16": False, "examples": 40})
    made = plan(host)
    assert (made.bf16, made.gradient_checkpointing, made.batch) == (False, False, 5)


def test_no_example_is_longer_than_the_model_takes() -> None:
    longer = FACTS.__class__(**{**_fields(FACTS), "longest": 9000})
    assert plan(longer).max_length == 8192


@pytest.mark.parametrize(
    ("found", "world", "chosen", "seen"),
    [(1, "1", None, None), (2, "1", None, "0"), (2, "1", "1,0", "1"), (2, "2", None, None), (2, "1", "", "")],
)
def test_a_trainer_that_works_alone_sees_one_card(
    monkeypatch: pytest.MonkeyPatch, found: int, world: str, chosen: str | None, seen: str | None
) -> None:
    monkeypatch.setattr(machine, "cards", lambda: [Card("Card", 80 << 30)] * found)
    monkeypatch.setenv("WORLD_SIZE", world)
    # Set first, so that what the trainer sets is undone, too.
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen or "")
    if chosen is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert machine.use_one_card() == (seen is not None)
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == seen


def test_several_cards_share_a_batch_and_an_uneven_one_is_said() -> None:
    three = FACTS.__class__(**{**_fields(FACTS), "processes": 3})
    made = plan(three, per_device=2)
    assert made.batch == 2 * made.accumulation * 3
    assert f"so it is {made.batch}" in made.reasons["batch"]


def _fields(facts: Facts) -> dict[str, object]:
    return {name: getattr(facts, name) for name in Facts.__dataclass_fields__}


def test_weights_are_counted_as_the_models_have_them() -> None:
    """Llama 3 8B has 8,030,261,248 weights, Llama 3.2 1B 1,235,814,400; LoRA of rank 16 on the first 41,943,040."""
    big, small = Shape.of(LLAMA_3_8B), Shape.of(SIZES["1b"])
    assert big
    assert small
    assert (big.weights, small.weights, big.adapter(16)) == (8_030_261_248, 1_235_814_400, 41_943_040)
    assert Shape.of({"n_embd": 768}) is None


def test_llama_3_8b_fits_on_a_card_of_80_gigabytes_by_lora_and_not_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "cards", lambda: [Card("Card", 80 << 30)])
    base.require_memory(Options(Path("s"), Path("o"), base="a/b"), LLAMA_3_8B)
    full = Options(Path("s"), Path("o"), base="a/b", method="full")
    with pytest.raises(RefusedError, match=r"needs about 1\d\d\.\d GB for --method full.* has 85\.9 GB.*--method lora"):
        base.require_memory(full, LLAMA_3_8B)
    base.require_memory(Options(Path("s"), Path("o"), base="a/b", method="full", ignore_memory=True), LLAMA_3_8B)


@pytest.mark.parametrize("changed", [{"per_device": 2}, {"length": 2000}, {"method": "full"}, {"checkpointing": False}])
def test_more_of_anything_needs_more_memory(changed: dict[str, object]) -> None:
    shape = Shape.of(LLAMA_3_8B)
    assert shape
    usual: dict[str, object] = {
        "method": "lora", "rank": 16, "length": 1000, "per_device": 1, "bf16": True, "checkpointing": True,
    }  # fmt: skip
    assert estimate(shape, Load(**{**usual, **changed})) > estimate(shape, Load(**usual))  # type: ignore[arg-type]


def test_the_figures_of_replies_are_those_counted_by_hand() -> None:
    trained = ["I like tea.<|msg|>Do you like it as much as I do?", "No."]
    replies = [Reply("I like tea.\nDo you like it as much as I do?", True), Reply("Well<|msg|>well well well", False)]
    row = figures("tuned", replies, "<|msg|>", TrainedOn(trained, "<|msg|>"))
    assert row == {
        "who": "tuned", "n": 2, "delimiter_share": 0.5, "messages_a_turn": 1.5, "words_a_message": 16 / 3,
        "stopped_share": 0.5, "distinct_2": 12 / 13, "copied_share": 0.5, "overlap_8_share": 1.0,
    }  # fmt: skip


def test_figures_without_words_are_none() -> None:
    row = figures("base", [Reply("", False)], "<|msg|>", TrainedOn(["Hi."], "<|msg|>"))
    assert (row["words_a_message"], row["distinct_2"], row["overlap_8_share"]) == (None, None, None)


def test_a_journal_goes_on_in_number_after_a_line_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    first = WrittenJournal(path)
    first.notice("one")
    first.tell(EventKind.EVALUATED, {"step": 1, "loss": 2.0})
    first.close()
    with path.open("a") as file:
        file.write('{"number": 3, "at": "20')
    sent: list[str] = []
    again = WrittenJournal(path, sent.append)
    again.notice("four")
    again.close()
    numbers = [event.number for event in read_events(iter(path.read_text().splitlines(keepends=True)))]
    assert numbers == [1, 2, 3]
    assert sent == path.read_text().splitlines(keepends=True)


@pytest.fixture
def receiver() -> "Receiver":
    with Receiver() as running:
        yield running


class Receiver(HTTPServer):
    """Answers with the next of `codes`, then with 200; keeps what it accepted."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.codes: list[int] = []
        self.accepted: list[str] = []
        self.headers: list[str | None] = []
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/events/"

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        code = self.server.codes.pop(0) if self.server.codes else 200
        self.server.headers.append(self.headers["Authorization"])
        if code == 200:
            self.server.accepted += body.splitlines()
        self.send_response(code)
        if code == 301:
            self.send_header("Location", "https://elsewhere.example.org/")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silent."""


def lines(count: int) -> list[str]:
    return [Event(n, "2026-11-30T02:00:00+00:00", EventKind.NOTICE, {"text": "é"}).line() for n in range(1, count + 1)]


def test_events_arrive_in_order_after_a_server_that_was_down(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "PAUSE", 0.01)
    receiver.codes = [503, 429]
    poster = Poster(receiver.url, "token")
    sent = lines(450)
    for line in sent:
        poster(line)
    assert poster.close() == ""
    assert receiver.accepted == [line.strip() for line in sent]
    assert set(receiver.headers) == {"Bearer token"}


@pytest.mark.parametrize(("code", "said_of_it"), [(403, "403"), (301, "301 Moved Permanently, see https://elsewhere.")])
def test_a_server_that_refuses_or_sends_elsewhere_is_given_up_and_training_goes_on(
    receiver: Receiver, capsys: pytest.CaptureFixture[str], code: int, said_of_it: str
) -> None:
    receiver.codes = [code] * 9
    poster = Poster(receiver.url, "wrong")
    poster(lines(1)[0])
    until(lambda: poster.problem, "it was refused")
    poster(lines(2)[1])
    assert "2 events were not reported" in (said := poster.close())
    assert said_of_it in said
    assert said_of_it in capsys.readouterr().err
    assert "Upload events.jsonl" in said

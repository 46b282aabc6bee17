"""Judgements become the paper's Tables 1 and 2, for any number of writers and judges, with what is missing beside."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation import triggers
from core.latex import to_latex
from core.tables import Estimate, Label, Table, to_csv, to_text
from dialogues.models import Corpus, Dialogue, Rubric
from generation.judgements import loading
from generation.judgements.loading import findings_of
from generation.judgements.tables import as_json, judge_tables, marked
from generation.models import Call, Judgement, Run, RunDialogue
from tests.generation.judged import ALL, METRICS, call, family, judge, judge_run

pytestmark = pytest.mark.django_db
WRITERS = {"gpt-4": ALL[1:], "phi3-mini": ("beta", "stephanie"), "unheard-of": ("beta",)}


def everything_judged(corpus: Corpus, backgrounds: int = 6, repeats: int = 2) -> list[Call]:
    """Every dialogue of three writers, by one judge, with seeded scores."""
    rng, run = Random(3), judge_run(corpus, "wise-model")
    return [
        judge(run, dialogue, rng.randint(30, 90), sample=sample)
        for number in range(backgrounds)
        for dialogue in family(corpus, number, WRITERS).values()
        for sample in range(repeats)
    ]


def tables(corpus: Corpus, *runs: Run, dashes: bool = True) -> dict[str, Table]:
    return judge_tables(findings_of(corpus, runs), dashes=dashes)


def cell(table: Table, metric: str, writer: str, version: str, *, paper: bool = False) -> Any:
    label: Any = Label(metric, "paper") if paper else metric
    place = next(
        number
        for number, column in enumerate(table.columns)
        if column.group.startswith(writer) and column.label == version and column.group
    )
    return next(row for row in table.rows if row[0] == label)[place]


def test_every_figure_equals_plain_arithmetic_over_the_stored_scores(corpus: Corpus) -> None:
    everything_judged(corpus)
    table = tables(corpus, dashes=False)["scores-1"]
    by_place: dict[Any, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    rows = Judgement.objects.values_list("dialogue_id", "metric", "score")
    for pk, metric, score in rows:
        one = Dialogue.objects.get(pk=pk)
        for writer in WRITERS if one.version_id == "alpha" else [one.written_by]:
            by_place[metric, writer, one.version.symbol][one.origin_id or pk].append(score)
    names = dict(zip(METRICS, [row[0] for row in table.rows if isinstance(row[0], str)], strict=True))
    seen = 0
    for (metric, writer, symbol), scores in by_place.items():
        means = np.array([np.mean(values) for values in scores.values()])
        found = cell(table, names[metric], writer, symbol)
        assert isinstance(found, Estimate)
        half = 2.5706 * means.std(ddof=1) / np.sqrt(6)
        assert found[:4] == pytest.approx((means.mean(), 6, means.mean() - half, means.mean() + half))
        seen += 1
    assert seen == 6 * (4 + 3 + 2)


def test_a_version_that_a_writer_lacks_is_a_gap_and_the_printed_value_stands_below(corpus: Corpus) -> None:
    everything_judged(corpus)
    table = tables(corpus)["scores-1"]
    assert cell(table, "Natural", "phi3-mini", "γ") is None
    assert cell(table, "Natural", "unheard-of", "Stephanie") is None
    assert cell(table, "Natural", "gpt-4", "γ", paper=True) == 91.89
    assert cell(table, "Natural", "phi3-mini", "Stephanie", paper=True) == 87.41
    assert cell(table, "Natural", "phi3-mini", "γ", paper=True) is None
    assert cell(table, "Natural", "unheard-of", "β", paper=True) == 88.19
    assert any("under phi3-mini: printed for Phi3-3.8b" in note for note in table.notes)
    for write in (to_csv, to_latex, to_text):
        assert write(table)


def test_alpha_prints_a_dash_where_the_paper_does_unless_asked(corpus: Corpus) -> None:
    everything_judged(corpus)
    assert cell(tables(corpus)["scores-1"], "On-topic", "gpt-4", "α") is None
    assert cell(tables(corpus)["scores-1"], "On-topic", "gpt-4", "β") is not None
    assert cell(tables(corpus, dashes=False)["scores-1"], "On-topic", "gpt-4", "α") is not None
    assert any("“—” for α" in note for note in tables(corpus)["scores-1"].notes)


def test_a_failed_or_waiting_judgement_is_counted_beside_and_is_in_no_mean(corpus: Corpus) -> None:
    run = judge_run(corpus, "wise-model")
    families = [family(corpus, number, {"gpt-4": ["beta"]}) for number in range(4)]
    for number, members in enumerate(families[:2]):
        judge(run, members["gpt-4", "beta"], 60 + 20 * number)
    call(run, families[2]["gpt-4", "beta"], state=Call.State.FAILED, outcome="provider")
    call(run, families[3]["gpt-4", "beta"], state=Call.State.TODO, outcome="")
    # Mended by a repair: counted once.
    call(run, families[0]["gpt-4", "beta"], sample=1, outcome="score_missing")
    call(run, families[0]["gpt-4", "beta"], sample=1, repair=1, state=Call.State.FAILED, outcome="score_missing")
    found = tables(corpus)
    mean = cell(found["scores-1"], "Interesting", "gpt-4", "β")
    assert (mean.value, mean.n) == (70, 2)
    assert found["calls"].rows == (("wise-model", "gpt-4", "β", 5, 2, 2, 1),)
    assert any("2 judgements that failed and 1 that are waiting" in note for note in found["scores-1"].notes)


def test_a_corpus_where_every_judgement_failed_has_no_score_at_all(corpus: Corpus) -> None:
    run = judge_run(corpus, "wise-model")
    call(run, family(corpus, 1, {"gpt-4": ["beta"]})["gpt-4", "beta"], state=Call.State.FAILED, outcome="provider")
    found = tables(corpus)
    assert set(found) == {"calls", "published-1", "published-2"}
    assert found["calls"].rows[0][3:] == (1, 0, 1, 0)


def test_every_judge_has_a_table_of_its_own_and_their_agreement_is_told(corpus: Corpus) -> None:
    run = judge_run(corpus, "wise-model", "other-model")
    for number, (first, second) in enumerate(((50, 60), (60, 64), (70, 90))):
        beta = family(corpus, number, {"gpt-4": ["beta"]})["gpt-4", "beta"]
        judge(run, beta, first, branch=0)
        judge(run, beta, second, branch=1)
    found = tables(corpus)
    assert "by other-model" in found["scores-1"].caption
    assert "by wise-model" in found["scores-2"].caption
    assert cell(found["scores-1"], "Interesting", "gpt-4", "β").value == pytest.approx((60 + 64 + 90) / 3)
    assert cell(found["scores-2"], "Interesting", "gpt-4", "β").value == 60
    row = next(row for row in found["judges"].rows if row[2] == "Natural")
    assert row[3] == pytest.approx(np.corrcoef([50, 60, 70], [60, 64, 90])[0, 1])
    assert "repeats" not in found


def test_the_same_judge_with_another_rubric_or_look_is_another_judge(corpus: Corpus) -> None:
    beta = family(corpus, 1, {"gpt-4": ["beta"]})["gpt-4", "beta"]
    judge(judge_run(corpus, "wise-model"), beta, 60)
    judge(judge_run(corpus, "wise-model", tidy_display=False), beta, 70)
    captions = [table.caption for slug, table in tables(corpus).items() if slug.startswith("scores-")]
    assert ["text as stored" in caption for caption in captions] == [True, False]
    assert ["tidied text" in caption for caption in captions] == [False, True]


def test_repeats_show_how_far_a_judge_agrees_with_itself(corpus: Corpus) -> None:
    run = judge_run(corpus, "wise-model")
    for number in range(3):
        beta = family(corpus, number, {"gpt-4": ["beta"]})["gpt-4", "beta"]
        for sample, score in enumerate((60, 70)):
            judge(run, beta, score + number, sample=sample)
    row = next(row for row in tables(corpus)["repeats"].rows if row[0] == "Natural")
    assert isinstance(row[1], Estimate)
    assert row[1].value == pytest.approx(np.std([60, 70], ddof=1))
    assert row[1].n == 3


def test_a_report_of_one_run_takes_over_what_the_run_did_not_pay_for_again(corpus: Corpus) -> None:
    first, second, third = (
        judge_run(corpus, "wise-model", name=name, judge_again=name == "third") for name in ("first", "second", "third")
    )
    betas = [family(corpus, number, {"gpt-4": ["beta"]})["gpt-4", "beta"] for number in range(3)]
    for number, beta in enumerate(betas):
        judge(first, beta, 50 + 10 * number)
    for run, chosen in ((second, betas[:2]), (third, betas)):
        RunDialogue.objects.bulk_create([RunDialogue(run=run, dialogue=beta) for beta in chosen])
    judge(third, betas[0], 90)
    means = [cell(tables(corpus, run)["scores-1"], "Interesting", "gpt-4", "β") for run in (first, second, third)]
    # Whatever the same judge has said of the second's dialogues counts there: 50 and 90 of the first one, 60.
    assert [(mean.value, mean.n) for mean in means] == [(60, 3), (65, 2), (90, 1)]


def test_demo_scores_and_texts_say_so_in_notes_and_on_every_exported_row(corpus: Corpus) -> None:
    run = judge_run(corpus, "demo-rules")
    beta = family(corpus, 1, {"demo-rules": ["beta"]})["demo-rules", "beta"]
    Dialogue.objects.filter(pk=beta.pk).update(is_demo=True)
    Call.objects.filter(pk=judge(run, beta, 80).pk).update(is_demo=True)
    found = findings_of(corpus)
    table = judge_tables(found)["scores-1"]
    assert table.notes[0].startswith("Judge demo-rules: demo rules, not a language model")
    assert table.notes[1] == "Written by demo-rules: demo rules, not a language model."
    lines = list(csv.DictReader(io.StringIO(to_csv(marked(table, has_demo=found.has_demo)))))
    assert {line["demo"] for line in lines} == {"demo rules, not a language model"}


@pytest.mark.parametrize(("writer", "own"), [("gpt-4", True), ("gpt-4-0613", True), ("gpt-4o", False)])
def test_a_judge_that_wrote_some_of_the_dialogues_is_named_as_such(corpus: Corpus, writer: str, own: bool) -> None:
    judge(judge_run(corpus, "gpt-4"), family(corpus, 1, {writer: ["beta"]})[writer, "beta"], 80)
    assert any("also wrote some of these" in note for note in tables(corpus)["scores-1"].notes) == own


def test_originals_beyond_the_one_writers_backgrounds_are_left_out_and_a_note_says_so(corpus: Corpus) -> None:
    run = judge_run(corpus, "wise-model")
    for number, versions in enumerate((["beta"], [])):
        for dialogue in family(corpus, number, {"gpt-4": versions}).values():
            judge(run, dialogue, 60 + number)
    table = tables(corpus)["scores-1"]
    assert cell(table, "Natural", "gpt-4", "α").n == 1
    assert any("over the backgrounds on which its" in note for note in table.notes)


def test_the_paper_is_spoken_of_only_where_a_value_of_it_stands(corpus: Corpus) -> None:
    judge(judge_run(corpus, "wise-model"), family(corpus, 1, {"w": ["punctuation"]})["w", "punctuation"], 60)
    table = tables(corpus)["scores-1"]
    assert not [text for text in (*table.notes, *(str(row[0]) for row in table.rows)) if "paper" in text]


def test_reading_the_findings_takes_the_same_queries_for_any_number_of_dialogues(corpus: Corpus) -> None:
    counts = []
    for number, backgrounds in enumerate((2, 12)):
        other = Corpus.objects.create(name=f"Chats {number}")
        everything_judged(other, backgrounds)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            findings_of(other)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 7


def test_the_command_prints_tables_json_csv_and_latex(corpus: Corpus, capsys: pytest.CaptureFixture[str]) -> None:
    everything_judged(corpus)

    def printed(*options: str) -> str:
        call_command("judge_report", "Chats", *options)
        return capsys.readouterr().out

    assert "mean by metric and version" in printed()
    assert printed("--table", "calls", "--csv").startswith("Judge,Written by,Version,Asked")
    assert r"\toprule" in printed("--latex")
    found = json.loads(printed("--json"))
    beta = next(
        row for row in found["judges"][0]["means"]
        if (row["writer"], row["version"], row["metric"]) == ("gpt-4", "beta", "natural")
    )  # fmt: skip
    assert beta["value"] == pytest.approx(cell(tables(corpus)["scores-1"], "Natural", "gpt-4", "β").value)
    assert beta["paper"] == 88.19


def test_the_command_refuses_what_is_not_there(corpus: Corpus) -> None:
    with pytest.raises(CommandError, match="no corpus"):
        call_command("judge_report", "Nobody's")
    with pytest.raises(CommandError, match="Run 99 is not a judge run of Chats"):
        call_command("judge_report", "Chats", run=[99])
    with pytest.raises(CommandError, match="There is no table 'x'"):
        call_command("judge_report", "Chats", table="x")


def test_what_failed_in_an_earlier_run_is_not_counted_in_the_report_of_a_later_one(corpus: Corpus) -> None:
    first, second = (judge_run(corpus, "wise-model", name=name) for name in ("first", "second"))
    beta = family(corpus, 1, {"gpt-4": ["beta"]})["gpt-4", "beta"]
    call(first, beta, state=Call.State.FAILED, outcome="provider")
    RunDialogue.objects.create(run=second, dialogue=beta)
    judge(second, beta, 60)
    assert [findings_of(corpus, runs).judges[0].failed for runs in ([second], [])] == [0, 1]


def test_judgements_that_come_in_while_the_report_is_read_do_no_harm(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = judge_run(corpus, "wise-model")
    judge(run, family(corpus, 0, {"gpt-4": ["beta"]})["gpt-4", "beta"], 60)

    def then_one_more(name: str, number: int) -> Callable[..., Any]:
        question = getattr(loading, name)

        def asked(*args: Any) -> Any:
            found = question(*args)
            found = found if isinstance(found, dict) else list(found)
            judge(run, family(corpus, number, {"gpt-4": ["beta"]})["gpt-4", "beta"], 60)
            return found

        return asked

    for number, name in enumerate(("_sums", "_states", "_texts"), 1):
        monkeypatch.setattr(loading, name, then_one_more(name, number))
    assert findings_of(corpus).dialogues == 1


def test_the_papers_values_stand_only_below_its_own_questions(corpus: Corpus) -> None:
    calls = everything_judged(corpus, backgrounds=2, repeats=1)
    rubric = calls[0].run.rubric
    assert rubric is not None
    with triggers.TRIGGERS.lifted():
        rows = [
            {**row, "definition": "Does it sound spoken?"} if row["key"] == "natural" else row for row in rubric.metrics
        ]
        Rubric.objects.filter(pk=rubric.pk).update(metrics=rows)
    table = tables(corpus)["scores-1"]
    below = {row[0].text for row in table.rows if isinstance(row[0], Label)}
    assert "Natural" not in below
    assert "Engaging" in below
    assert any(note.startswith("Without a value of the paper: Natural.") for note in table.notes)
    (told,) = as_json(findings_of(corpus))["judges"]
    assert {row["paper"] for row in told["means"] if row["metric"] == "natural"} == {None}
    assert 91.89 not in [row["paper"] for row in told["means"]]
    assert any(row["paper"] for row in told["means"] if row["metric"] == "engaging")


def test_a_judged_background_alone_has_no_interval_and_json_says_why(corpus: Corpus) -> None:
    everything_judged(corpus, backgrounds=1, repeats=1)
    (told,) = as_json(findings_of(corpus))["judges"]
    assert {(row["low"], row["no_interval"]) for row in told["means"]} == {(None, "only one observation")}
    assert "only one observation" in to_csv(tables(corpus)["scores-1"])

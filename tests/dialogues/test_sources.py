"""Which dialogues of a corpus are counted: by run, examples, prompt and writer, and how far a version reaches."""

import json
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from dialogues.baseline import split_all
from dialogues.corpus_figures import Counted, corpus_figures, figures_result
from dialogues.coverage import coverage_of, few, usual_writers
from dialogues.models import Corpus, Dialogue
from dialogues.sources import ANY, Sources, UnknownSourceError, once_each, written_again
from dialogues.statistics_tables import statistics_tables
from generation.models import Endpoint, ExampleSet, Run
from tests.dialogues.rows import add_dialogue
from tests.generation.written_runs import written_run

pytestmark = pytest.mark.django_db
ALPHAS = 6


@pytest.fixture
def corpus() -> Corpus:
    corpus: Corpus = Corpus.objects.create(name="Chats")
    for number in range(ALPHAS):
        add(corpus, f"d{number}", "alpha")
    return corpus


def add(corpus: Corpus, key: str, version: str, text: str = "hello you there", **fields: Any) -> Dialogue:
    return add_dialogue(corpus, key, [[1, text], [2, "hi"]], version, **fields)


def by_hand(corpus: Corpus) -> Dialogue:
    """One γ rewritten by a person."""
    gamma = corpus.dialogues.of_version("gamma").order_by("pk")[0]
    return add(corpus, "hand", "restructured", origin=gamma.origin, parent=gamma, written_by="Blue Otter")


def endpoint(name: str) -> Endpoint:
    made: Endpoint = Endpoint.objects.create(name=name, base_url="https://models.example/v1", model=name)
    return made


@pytest.fixture
def runs(corpus: Corpus) -> tuple[Run, Run]:
    """Two runs of one model on all backgrounds."""
    writer = endpoint("gpt-4")
    return written_run(corpus, writer, name="First"), written_run(corpus, writer, name="Second")


def numbers(corpus: Corpus, counted: Counted | None = None) -> dict[str, int]:
    return {version.slug: version.dialogues for version in corpus_figures(corpus, "whitespace", counted).versions}


def test_two_runs_of_one_model_are_not_pooled(corpus: Corpus, runs: tuple[Run, Run]) -> None:
    assert numbers(corpus) == {"alpha": ALPHAS, "beta": ALPHAS, "gamma": ALPHAS, "stephanie": ALPHAS}
    assert set(once_each(corpus.dialogues.of_version("beta"))) == set(
        Dialogue.objects.filter(output__call__run=runs[1], version="beta")
    )
    assert written_again(corpus.dialogues.all()) == {"beta": ALPHAS, "gamma": ALPHAS, "stephanie": ALPHAS}
    assert numbers(corpus, Counted(every=True))["beta"] == 2 * ALPHAS
    first = Counted(sources=Sources.of({"run": [runs[0].pk]}))
    assert numbers(corpus, first) == {"alpha": ALPHAS, "beta": ALPHAS, "gamma": ALPHAS, "stephanie": ALPHAS}
    notes = statistics_tables(corpus_figures(corpus, "whitespace"))["lengths"].notes
    assert any(note.startswith("Written more than once for the same background: β for 6 backgrounds") for note in notes)
    assert (
        statistics_tables(corpus_figures(corpus, "whitespace", first))["lengths"].notes[1]
        == f"Only dialogues of run First (no. {runs[0].pk}), and the originals."
    )


def test_of_several_writers_in_the_latest_run_the_first_counts(corpus: Corpus) -> None:
    written_run(corpus, endpoint("a"), endpoint("b"), name="Both")
    taken = once_each(corpus.dialogues.filter(origin__isnull=False))
    assert set(taken.values_list("written_by", flat=True)) == {"a"}
    assert numbers(corpus, Counted(sources=Sources.of({"writer": ["b"]})))["beta"] == ALPHAS


def test_a_split_and_a_rewrite_by_hand_belong_to_the_run_of_what_they_were_made_from(
    corpus: Corpus, runs: tuple[Run, Run]
) -> None:
    split_all(corpus)
    hand = by_hand(corpus)
    first, second = (Sources.of({"run": [run.pk]}).narrow(corpus.dialogues.all()) for run in runs)
    assert hand in first
    assert hand not in second
    assert first.of_version("punctuation").count() == second.of_version("punctuation").count() == ALPHAS
    assert hand in Sources.of({"writer": ["gpt-4"]}).narrow(corpus.dialogues.all())


def test_examples_and_prompts_find_what_was_written_with_them_and_what_was_made_from_that(
    corpus: Corpus, runs: tuple[Run, Run]
) -> None:
    pairs = runs[1].run_stages.get(stage="pair")
    other = ExampleSet.objects.create(name="Ours", kind="step_by_step")
    pairs.example_sets.set([other])
    hand = by_hand(corpus)
    found = Sources.of({"set": [other.pk]}).narrow(corpus.dialogues.filter(origin__isnull=False))
    assert {row.output.call.run_id for row in found} == {runs[1].pk}
    assert set(found.values_list("version", flat=True)) == {"beta", "gamma", "stephanie"}
    split = Sources.of({"prompt": [runs[0].run_stages.get(stage="further_split").prompt_id]})
    rows = split.narrow(corpus.dialogues.filter(origin__isnull=False))
    assert set(rows.values_list("version", flat=True)) == {"stephanie"}
    assert hand not in rows


def test_an_address_says_what_it_means_and_passes_over_what_it_cannot_mean() -> None:
    given = {"run": ["12", "12", "x", "-1", "9" * 40, "٣"], "writer": ["gpt-4", ""], "page": ["3"]}
    sources = Sources.of(given)
    assert sources.as_json() == {"writer": ["gpt-4"], "run": [12]}
    assert urlencode(list(sources)) == "writer=gpt-4&run=12"
    assert Sources.of(sources.as_json()) == sources
    assert not ANY


def test_a_run_of_another_corpus_is_refused_by_name(corpus: Corpus, runs: tuple[Run, Run]) -> None:
    with pytest.raises(UnknownSourceError, match=r"no run 999999.* Second \(no\. "):
        Sources.of({"run": [999999]}).check(corpus)
    for command in ("corpus_stats", "export_dialogues"):
        with pytest.raises(CommandError, match="The corpus has no run 999999"):
            call_command(command, "Chats", "--run", "999999", stdout=StringIO(), stderr=StringIO())


def test_few_is_less_than_half_of_the_widest() -> None:
    assert few({"a": 100, "b": 50, "c": 49, "d": 1}) == {"c", "d"}
    assert few({}) == few({"a": 1}) == frozenset()


def test_one_rewrite_by_hand_takes_nothing_from_what_is_matched(corpus: Corpus) -> None:
    written_run(corpus, endpoint("gpt-4"))
    before = corpus_figures(corpus, "whitespace")
    by_hand(corpus)
    figures = corpus_figures(corpus, "whitespace")
    assert figures.matched_tokens == before.matched_tokens > 4
    assert [version.matched for version in figures.versions][:4] == [version.matched for version in before.versions]
    hand = figures.versions[-1]
    assert (hand.slug, hand.dialogues) == ("restructured", 1)
    assert set(hand.matched.values()) == {None}
    notes = statistics_tables(figures)["distinct"].notes
    assert any("Not matched, because few backgrounds have it: By hand, 1 of 6 backgrounds." in note for note in notes)
    assert numbers(corpus, Counted(shared_only=True)) == {
        "alpha": ALPHAS, "beta": ALPHAS, "gamma": ALPHAS, "stephanie": ALPHAS,
    }  # fmt: skip


def test_who_names_a_version_that_few_backgrounds_have_gets_the_comparison_on_those(corpus: Corpus) -> None:
    written_run(corpus, endpoint("gpt-4"))
    by_hand(corpus)
    named = Counted(versions=("alpha", "gamma", "restructured"), shared_only=True)
    assert numbers(corpus, named) == {"alpha": 1, "gamma": 1, "restructured": 1}
    matched = corpus_figures(corpus, "whitespace", Counted(versions=("gamma", "restructured")))
    assert matched.matched_tokens == 4


def test_originals_are_many_where_only_a_sample_of_them_was_written_on(corpus: Corpus) -> None:
    for number in range(2):
        alpha = corpus.dialogues.get(key=f"d{number}")
        add(corpus, f"b{number}", "beta", origin=alpha, parent=alpha)
    coverage = coverage_of(corpus.dialogues.all())
    assert (coverage.sparse, coverage.usual()) == (frozenset(), ["alpha", "beta"])
    assert coverage.says("beta") == "2 of 6 backgrounds"


def test_a_writer_of_few_backgrounds_is_not_among_the_usual_ones(corpus: Corpus) -> None:
    written_run(corpus, endpoint("gpt-4"))
    assert usual_writers(corpus.dialogues.all()) == []
    alpha = corpus.dialogues.get(key="d0")
    add(corpus, "other", "beta", origin=alpha, parent=alpha, written_by="tried-once")
    assert usual_writers(corpus.dialogues.all()) == ["gpt-4"]
    # Who has no name cannot be chosen, so nobody else is either.
    for number in range(ALPHAS):
        alpha = corpus.dialogues.get(key=f"d{number}")
        add(corpus, f"nameless{number}", "beta", origin=alpha, parent=alpha)
    assert usual_writers(corpus.dialogues.all()) == []


def test_an_export_of_one_run_can_be_read_where_the_others_are_not(
    corpus: Corpus, runs: tuple[Run, Run], tmp_path: Path
) -> None:
    """A further-split by the second run of the first one's γ, as runs that only split write it."""
    gamma = Dialogue.objects.filter(output__call__run=runs[0], version="gamma").order_by("pk")[0]
    Dialogue.objects.filter(output__call__run=runs[1], version="stephanie", origin=gamma.origin).update(parent=gamma)
    file = tmp_path / "second.jsonl"
    call_command("export_dialogues", "Chats", "--run", str(runs[1].pk), "--output", str(file), stdout=StringIO())
    call_command("import_dialogues", str(file), "--corpus", "Elsewhere", stdout=StringIO(), stderr=StringIO())
    there = Corpus.objects.get(name="Elsewhere").dialogues
    assert there.count() == 4 * ALPHAS
    assert there.of_version("stephanie").filter(parent__isnull=True).count() == 1


def test_every_choice_has_figures_of_its_own(corpus: Corpus, runs: tuple[Run, Run]) -> None:
    extra = corpus.dialogues.get(key="d0")
    add(corpus, "again", "beta", "one two three four five", origin=extra, parent=extra)
    choices = [
        Counted(), Counted(every=True), Counted(shared_only=True), Counted(versions=("beta",)),
        Counted(sources=Sources.of({"run": [runs[0].pk]})), Counted(sources=Sources.of({"run": [runs[1].pk]})),
        Counted(sources=Sources.of({"writer": [str(runs[0].pk)]})),
    ]  # fmt: skip
    assert len({figures_result(corpus, "words", one).key() for one in choices}) == len(choices)
    for one in choices:
        assert figures_result(corpus, "words", one).here() == corpus_figures(corpus, "words", one)
        assert figures_result(corpus, "words", one).here() == corpus_figures(corpus, "words", one)


def test_the_page_says_whose_dialogues_count_and_its_files_hold_the_same(
    researcher: Client, corpus: Corpus, runs: tuple[Run, Run]
) -> None:
    address = reverse("dialogues:statistics", args=[corpus.pk])
    page = researcher.get(address).content.decode()
    assert "Written more than once for the same background: β for 6 backgrounds" in page
    assert f"First (no. {runs[0].pk})" in page
    chosen = researcher.get(f"{address}?run={runs[0].pk}&version=beta&version=alpha")
    assert [version.slug for version in chosen.context["figures"].versions] == ["alpha", "beta"]
    assert f"Only dialogues of run First (no. {runs[0].pk})" in chosen.content.decode()
    csv = chosen.context["tables"][0]["files"]["csv"]
    assert f"run={runs[0].pk}" in csv
    assert "β,6," in researcher.get(csv).content.decode()
    assert "No dialogue fits this choice" in researcher.get(f"{address}?run=&set=x&count=no&version=none").text


def test_commands_take_the_same_choice(corpus: Corpus, runs: tuple[Run, Run]) -> None:
    out = StringIO()
    call_command(
        "corpus_stats", "Chats", "--run", str(runs[0].pk), "--versions", "beta", "--json", stdout=out, stderr=StringIO()
    )
    found = json.loads(out.getvalue())
    assert {slug: version["dialogues"] for slug, version in found["versions"].items()} == {"beta": ALPHAS}
    assert (found["source"], found["counted"]) == (f"run First (no. {runs[0].pk})", "latest")
    out = StringIO()
    call_command("export_dialogues", "Chats", "--run", str(runs[1].pk), stdout=out)
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(rows) == 4 * ALPHAS
    keys = set(Dialogue.objects.filter(output__call__run=runs[1]).values_list("key", flat=True))
    assert {row["id"] for row in rows if "origin" in row} == keys

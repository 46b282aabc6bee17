"""`corpus_stats` and the figures behind it, on rows in the database."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.test.utils import CaptureQueriesContext

from core.tables import to_csv
from dialogues.corpus_figures import Counted, corpus_figures, figures_result, has_uneven_backgrounds
from dialogues.importing import Options, Source, import_file
from dialogues.models import Corpus, Dialogue
from dialogues.statistics_tables import statistics_tables
from tests.dialogues.rows import add_dialogue

pytestmark = pytest.mark.django_db

HELLO = [[1, "hello , there !"], [2, "hi you"]]
RUNS = [[1, "a b c"], [1, "a b c"], [2, "x"], *([1, f"word{n}"] for n in range(6)), [2, "so it is"]]


@pytest.fixture
def corpus() -> Corpus:
    return Corpus.objects.create(name="Small talk")


def add(corpus: Corpus, key: str, pairs: list[Any], version: str = "alpha", **fields: Any) -> Dialogue:
    return add_dialogue(corpus, f"{key}-{version}", pairs, version, **fields)


def run_command(*args: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("corpus_stats", *args, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_json_has_every_figure_of_every_version(corpus: Corpus) -> None:
    origin = add(corpus, "1", HELLO)
    add(corpus, "1", RUNS, "stephanie", origin=origin)
    found = json.loads(run_command("Small talk", "--json")[0])
    assert found["tokenizer"] == "whitespace"
    assert list(found["versions"]) == ["alpha", "stephanie"]
    alpha, rewritten = found["versions"].values()
    assert (alpha["dialogues"], alpha["messages"], alpha["turns"], alpha["words_per_message"]) == (1, 2, 2, 3.0)
    assert alpha["acmc"] == 1.0
    assert rewritten["acmc"] == 10 / 4
    assert rewritten["consecutive"] == {"1": 0.5, "2": 0.25, "3": 0, "4": 0, "5": 0, "6+": 0.25}
    # "a b" "b c" twice, "so it" "it is": four unique of six.
    assert rewritten["distinct"]["2"]["pooled"] == rewritten["distinct"]["2"]["mean"] == 4 / 6
    assert set(alpha["distinct"]) == {"2", "3", "4", "5", "6"}
    assert alpha["distinct"]["5"] == {
        "pooled": None,
        "mean": None,
        "mean_n": 0,
        "mean_interval": None,
        "mean_no_interval": "",
        "matched": None,
    }


def test_the_words_tokenizer_leaves_punctuation_out(corpus: Corpus) -> None:
    add(corpus, "1", HELLO)
    found = json.loads(run_command("Small talk", "--json", "--tokens", "words")[0])
    assert found["tokenizer"] == "words"
    assert found["versions"]["alpha"]["words_per_message"] == 2.0


def test_stdout_holds_the_tables_with_their_tokenizer_and_progress_stays_off_it(corpus: Corpus) -> None:
    add(corpus, "1", HELLO)
    out, _ = run_command("Small talk")
    assert "Tokenizer: whitespace tokens" in out
    assert "11.77" in out
    assert "dialogues/s" not in out


def test_an_unknown_corpus_is_answered_with_the_nearest_names(corpus: Corpus) -> None:
    with pytest.raises(CommandError, match=r"no corpus “smal talk”\. Did you mean “Small talk”\?"):
        run_command("smal talk")
    with pytest.raises(CommandError, match=r"There are “Small talk”\."):
        run_command("qqqqqqqqqq")
    corpus.delete()
    with pytest.raises(CommandError, match="Import one with"):
        run_command("x")


def test_a_corpus_may_be_named_by_its_number_and_may_be_empty(corpus: Corpus) -> None:
    assert json.loads(run_command(str(corpus.pk), "--json")[0])["versions"] == {}


def test_every_version_is_matched_to_the_shortest(corpus: Corpus) -> None:
    origin = add(corpus, "1", [[1, "a b a b a b a b"], [2, "a b a b"]])
    add(corpus, "1", [[1, "a b"], [2, "c d e"]], "beta", origin=origin)
    figures = corpus_figures(corpus, "whitespace")
    assert figures.matched_tokens == 5
    alpha, beta = figures.versions
    assert alpha.distinct[2].pooled == 2 / 10
    assert alpha.matched[2] == 2 / 4
    assert beta.matched[2] == beta.distinct[2].pooled == 1.0


def test_only_shared_backgrounds_are_counted_when_asked(corpus: Corpus) -> None:
    origins = [add(corpus, str(number), HELLO) for number in range(3)]
    add(corpus, "0", RUNS, "beta", origin=origins[0])
    add(corpus, "0", RUNS, "gamma", origin=origins[0])
    add(corpus, "1", RUNS, "gamma", origin=origins[1])
    assert has_uneven_backgrounds(corpus)
    figures = corpus_figures(corpus, "whitespace", Counted(shared_only=True))
    assert {version.slug: version.dialogues for version in figures.versions} == {"alpha": 1, "beta": 1, "gamma": 1}
    everything = json.loads(run_command("Small talk", "--json")[0])["versions"]
    assert [version["dialogues"] for version in everything.values()] == [3, 1, 2]
    shared = json.loads(run_command("Small talk", "--json", "--shared")[0])
    assert shared["backgrounds"] == "shared"
    assert [version["dialogues"] for version in shared["versions"].values()] == [1, 1, 1]


def test_a_corpus_of_originals_alone_has_no_uneven_backgrounds(corpus: Corpus) -> None:
    add(corpus, "1", HELLO)
    assert not has_uneven_backgrounds(corpus)


def test_figures_are_computed_once_until_a_dialogue_comes_or_goes(
    corpus: Corpus, django_assert_num_queries: Callable[[int], CaptureQueriesContext]
) -> None:
    caches["results"].clear()
    added = add(corpus, "1", HELLO)
    first = figures_result(corpus, "whitespace").here()
    with django_assert_num_queries(1):
        assert figures_result(corpus, "whitespace").here() == first
    add(corpus, "2", RUNS)
    assert figures_result(corpus, "whitespace").here().versions[0].dialogues == 2
    added.delete()
    assert figures_result(corpus, "whitespace").here().versions[0].messages == len(RUNS)
    assert figures_result(corpus, "words").here().tokenizer == "words"


def test_what_the_demo_rules_wrote_is_labelled_in_every_table_and_export(corpus: Corpus) -> None:
    origin = add(corpus, "1", HELLO)
    add(corpus, "1", RUNS, "gamma", origin=origin, is_demo=True)
    tables = statistics_tables(corpus_figures(corpus, "whitespace"))
    assert list(tables) == ["lengths", "consecutive", "distinct"]
    for table in tables.values():
        assert "γ (demo rules, not a language model)" in to_csv(table)
        assert "α (demo" not in to_csv(table)


def test_very_long_dialogues_do_not_overflow_the_sums_of_squares(corpus: Corpus) -> None:
    add(corpus, "1", [[1, "w " * 60_000], [2, "ok"]])
    add(corpus, "2", HELLO)
    version = corpus_figures(corpus, "whitespace").versions[0]
    assert version.words == 60_001 + 6
    assert version.words_per_message is not None
    assert version.words_per_message.high is not None


def test_the_real_validation_split_gives_the_known_figures(shared_data: Path) -> None:
    path = shared_data / "personachat" / "valid_both_original_no_cands.txt"
    import_file(Source(path, path.name, "auto"), name="valid", by=None, options=Options())
    alpha = json.loads(run_command("valid", "--json")[0])["versions"]["alpha"]
    assert (alpha["dialogues"], alpha["messages"], alpha["turns"]) == (1000, 15602, 15602)
    assert round(alpha["words_per_message"], 4) == 11.7116
    assert alpha["acmc"] == 1.0
    assert (alpha["acmc_interval"], alpha["acmc_no_interval"]) == (None, "no spread")
    assert alpha["consecutive"] == {"1": 1.0, "2": 0.0, "3": 0.0, "4": 0.0, "5": 0.0, "6+": 0.0}

"""Sets of examples under several hands: edits, order, versions, and where a text came from."""

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Dialogue
from dialogues.views.corpus_actions import in_the_way
from generation import example_sets
from generation.background import example_background
from generation.curation import provenance, versions
from generation.curation.content import Content, ContentError
from generation.curation.editing import StaleError, add_example, change_example, change_set, remove_example, reorder
from generation.curation.provenance import content_of, provenance_of
from generation.curation.weighing import weigh
from generation.models import Example, ExampleSet, FrozenError
from generation.plans.plan_form import EditForm, RunForm
from tests.generation.curated import TALK, draft_set, places, rewritten
from tests.generation.runs import NOWHERE, draft, endpoint_at, small_corpus, started
from tests.generation.written_runs import written_run

pytestmark = pytest.mark.django_db


def keys(row: ExampleSet) -> list[int]:
    return list(row.examples.values_list("pk", flat=True))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
@given(st.lists(st.permutations(range(5)), min_size=1, max_size=4), st.integers(0, 4))
def test_any_reordering_keeps_the_examples_and_positions_from_one(orders: list[list[int]], gone: int) -> None:
    row = draft_set(5)
    every = keys(row)
    for order in orders:
        row.refresh_from_db()
        wanted = [every[place] for place in order]
        reorder(example_set=row, order=wanted, seen=row.revision, by=None)
        assert keys(row) == wanted
        assert places(row) == [1, 2, 3, 4, 5]
    remove_example(example=Example.objects.get(pk=every[gone]), by=None)
    assert sorted(keys(row)) == sorted(key for key in every if key != every[gone])
    assert places(row) == [1, 2, 3, 4]


def test_an_order_made_on_an_old_page_is_refused_and_the_same_order_twice_is_not() -> None:
    row = draft_set(3)
    one, two, three = keys(row)
    assert reorder(example_set=row, order=[two, one, three], seen=0, by=None)
    assert not reorder(example_set=row, order=[two, one, three], seen=0, by=None)
    with pytest.raises(StaleError):
        reorder(example_set=row, order=[three, two, one], seen=0, by=None)
    for order in ([two, one], [two, one, one], [two, one, three, 999], []):
        with pytest.raises(StaleError):
            reorder(example_set=row, order=order, seen=1, by=None)
    assert keys(row) == [two, one, three]
    assert AuditEvent.objects.filter(verb=AuditVerb.EXAMPLES_ORDERED).count() == 1


def test_two_edits_of_one_example_do_not_overwrite_each_other() -> None:
    row = draft_set(1)
    example = row.examples.get()
    mine, theirs = (Content.of(row.kind, messages=[[1, text]]) for text in ("mine", "theirs"))
    change_example(example=example, seen=0, content=theirs, by=None)
    with pytest.raises(StaleError):
        change_example(example=example, seen=0, content=mine, by=None)
    change_example(example=example, seen=0, content=theirs, by=None)
    assert row.examples.get().messages == [[1, "theirs"]]
    changed = change_example(example=example, seen=1, content=mine, by=None)
    assert (changed.revision, changed.messages) == (2, [[1, "mine"]])


def test_an_example_may_not_be_edited_into_its_neighbour_or_into_nothing() -> None:
    row = draft_set(2)
    first, second = row.examples.all()
    with pytest.raises(ContentError, match="example 1 of this set has the same text"):
        change_example(example=second, seen=0, content=Content.of(row.kind, messages=first.messages), by=None)
    pair = Content.of("further_split", messages=TALK, messages_after=[[1, "x"]])
    with pytest.raises(ContentError, match="only further-split"):
        change_example(example=second, seen=0, content=pair, by=None)


def test_a_frozen_set_refuses_every_kind_of_change() -> None:
    row = draft_set(2)
    example = row.examples.earliest("pk")
    assert versions.freeze(example_set=row, by=None)
    assert not versions.freeze(example_set=row, by=None)
    content = Content.of(row.kind, messages=[[1, "x"]])
    for change in (
        lambda: change_example(example=example, seen=0, content=content, by=None),
        lambda: remove_example(example=example, by=None),
        lambda: reorder(example_set=row, order=keys(row)[::-1], seen=0, by=None),
        lambda: change_set(example_set=row, seen=0, name="x", note="", by=None),
        lambda: versions.delete_set(example_set=row, by=None),
    ):
        with pytest.raises(FrozenError):
            change()


def test_a_clone_keeps_everything_but_its_place_in_the_line() -> None:
    anna = User.objects.create(username="anna")
    corpus = small_corpus(1)
    source = Dialogue.objects.get(corpus=corpus)
    row = draft_set(1, note="why")
    add_example(example_set=row, by=None, messages=source.messages, source="corpus", dialogue=source, operations=[1])
    versions.freeze(example_set=row, by=None)
    made = versions.clone(example_set=row, name="Mine", by=anna)
    other = versions.clone(example_set=row, name="Other", by=anna)
    assert (made.version, made.parent, made.frozen_at, made.created_by) == (2, row, None, anna)
    assert (other.version, other.name) == (1, "Other")
    for field in versions.COPIED:
        assert [getattr(one, field) for one in made.examples.all()] == [
            getattr(one, field) for one in row.examples.all()
        ]
    again = versions.clone(example_set=row, name="Other", by=anna, once="k")
    assert versions.clone(example_set=row, name="Other", by=anna, once="k") == again


def test_a_renamed_draft_becomes_the_next_version_of_that_name() -> None:
    draft_set(0, name="A")
    row = draft_set(0, name="B")
    changed = change_set(example_set=row, seen=0, name="A", note="n", by=None)
    assert (str(changed), changed.revision) == ("A v2", 1)
    with pytest.raises(StaleError):
        change_set(example_set=row, seen=0, name="C", note="n", by=None)


def test_only_a_draft_that_nobody_used_is_deleted() -> None:
    endpoint = endpoint_at(NOWHERE)
    run = draft(small_corpus(1), endpoint)
    used = run.run_stages.get(stage="pair").example_sets.first()
    assert used is not None
    with pytest.raises(versions.InUseError, match="the run “Test run” is planned with it"):
        versions.delete_set(example_set=used, by=None)
    free = draft_set(2, name="Free")
    ExampleSet.objects.create(name="Snap", kind=free.kind, snapshot_of=free).freeze()
    with pytest.raises(versions.InUseError, match="trials were made with it"):
        versions.delete_set(example_set=free, by=None)
    other = draft_set(2, name="Other")
    versions.delete_set(example_set=other, by=None)
    assert not ExampleSet.objects.filter(pk=other.pk).exists()
    assert AuditEvent.objects.get(verb=AuditVerb.EXAMPLE_SET_DELETED).detail["examples"] == 2


def test_an_empty_set_cannot_be_frozen() -> None:
    with pytest.raises(versions.EmptySetError, match="no example yet"):
        versions.freeze(example_set=draft_set(0), by=None)


def test_a_reworded_example_keeps_its_source_and_says_it_was_edited_here() -> None:
    source = Dialogue.objects.get(corpus=small_corpus(1))
    row = draft_set(0)
    example = add_example(example_set=row, by=None, messages=source.messages, source="corpus", dialogue=source)
    assert not provenance_of(example).edited
    content = Content.of(row.kind, messages=[*source.messages, [2, "more"]])
    changed = change_example(example=example, seen=0, content=content, by=None)
    assert (provenance_of(changed).edited, changed.source, changed.dialogue) == (True, "corpus", source)


def test_a_corpus_that_examples_were_taken_from_names_them_instead_of_failing() -> None:
    corpus = small_corpus(2)
    source = Dialogue.objects.filter(corpus=corpus).earliest("pk")
    assert in_the_way(corpus) == []
    add_example(example_set=draft_set(0), by=None, messages=source.messages, source="corpus", dialogue=source)
    assert in_the_way(corpus) == ["example “Mine v1 #1”"]


def test_a_run_offers_beta_gamma_and_pairs_of_what_it_wrote() -> None:
    run = written_run(small_corpus(2), endpoint_at(NOWHERE))
    found = {
        kind: {one.version_id for one in provenance.candidates(draft_set(0, kind, name=kind), run=run)}
        for kind in ("single_step", "step_by_step", "further_split")
    }
    assert found == {"single_step": {"beta"}, "step_by_step": {"gamma"}, "further_split": {"gamma"}}
    pairs = ExampleSet.objects.get(name="further_split")
    gamma = provenance.candidates(pairs, run=run)[0]
    assert [one.version_id for one in provenance.rewrites_of(gamma)] == ["stephanie"]
    assert provenance.source_of(gamma) == "run"
    assert example_background(gamma).theme
    assert example_background(gamma).traits_1


def test_a_corpus_offers_what_was_rewritten_as_pairs_and_knows_what_is_in_the_set() -> None:
    corpus = small_corpus(3)
    first, second, _ = Dialogue.objects.filter(corpus=corpus).order_by("pk")
    rewritten(corpus, second, "restructured")
    assert list(provenance.candidates(draft_set(0, "further_split"), corpus=corpus)) == [second]
    row = draft_set(0)
    add_example(example_set=row, by=None, messages=first.messages, source="corpus", dialogue=first)
    there = {one.key: one.is_there for one in provenance.candidates(row, corpus=corpus, version="alpha", search="d")}
    assert there == {"d0": True, "d1": False, "d2": False}


def test_what_a_set_takes_of_the_window_adds_up() -> None:
    example_sets.load_all()
    row = ExampleSet.objects.get(kind="single_step")
    balance, weight = weigh(row, 8192)
    assert balance is not None
    assert weight.examples == sum(one.tokens for one in balance.rows)
    assert weight.beside == ExampleSet.objects.get(kind="step_by_step")
    assert weight.left == 8192 - weight.examples - weight.beside_tokens - weight.wording
    assert weight.wording > 100
    assert weigh(draft_set(0, name="Empty"))[0] is None


def test_runs_choose_frozen_versions_first_drafts_with_a_word_and_no_snapshot() -> None:
    run = started(small_corpus(1), endpoint_at(NOWHERE))
    shipped = ExampleSet.objects.get(kind="step_by_step")
    mine = draft_set(1, name="A draft")
    ExampleSet.objects.create(name="Snap", kind="step_by_step", snapshot_of=mine)
    form = RunForm()
    assert [label for _, label in form.fields["step_by_step_set"].choices] == [  # type: ignore[attr-defined]
        "Stephanie examples v1 (comes with the project)", "A draft v1 (draft, will be frozen at start)",
    ]  # fmt: skip
    assert form.fields["step_by_step_set"].initial == shipped.pk
    edit = EditForm(run.rows_of("pair")[0])
    assert list(edit.fields["step_by_step"].queryset) == [shipped, mine]  # type: ignore[attr-defined]


def test_what_somebody_wrote_or_froze_is_nobodys_default() -> None:
    example_sets.load_all()
    shipped = ExampleSet.objects.get(kind="step_by_step")
    draft_set(2)
    clone = versions.clone(example_set=shipped, name=shipped.name, by=None)
    assert example_sets.newest_sets()["step_by_step"] == shipped
    Example.objects.filter(example_set=clone, position=1).update(note="Reworded.")
    clone.freeze()
    assert example_sets.newest_sets()["step_by_step"] == shipped
    # What comes with the project is no longer the newest of that name, so it is loaded as the next version.
    assert "Stephanie examples v3" in example_sets.load_all()
    assert str(example_sets.newest_sets()["step_by_step"]) == "Stephanie examples v3"


def test_without_shipped_examples_a_frozen_set_goes_before_a_draft() -> None:
    frozen = draft_set(2, name="Frozen")
    frozen.freeze()
    draft_set(2, name="Newer draft")
    assert example_sets.newest_sets() == {"step_by_step": frozen}


def test_what_is_stored_is_what_the_value_says() -> None:
    example_sets.load_all()
    for example in Example.objects.select_related("example_set"):
        assert content_of(example).as_fields()["messages"] == example.messages

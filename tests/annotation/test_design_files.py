"""A design leaves as JSON and comes back the same; what is none is refused with reasons, and nothing is kept."""

import contextlib
import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from annotation.chats.beginning import MODES as KNOWN_MODES
from annotation.chats.pace import PACES
from annotation.chats.plan import INTERRUPTIONS, ChatPlan
from annotation.design import document, drafting, files, launch, rubrics
from annotation.design.chat_document import MODES, System
from annotation.design.chat_systems import systems_of
from annotation.design.document import Check, Design, Questions
from annotation.design.methods import methods_text
from annotation.design.record_views import next_version
from annotation.models import Study
from annotation.rating.rater_stage import consent_fingerprint
from core.json_documents import DocumentError
from dialogues.models import Rubric
from dialogues.rubric import Metric, Scale
from tests.annotation.chat_designs import chat_draft, endpoint, system
from tests.annotation.setting import check, corpus, draft, member, study

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
words = text.filter(str.strip)
slugs = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
PLAN = ChatPlan(pace="words", least_turns=2, most_turns=0, chats_each=4, chat_cap=None, budget=9.5)
CHATS = b'{"name": "A", "corpus": "C", "kind": "chats", %s}'
ONE = CHATS % b'"systems": [{"name": "A", "endpoint": "E"}], %s'
FULL = {
    "consent_text": "I agree.",
    "pay_note": "12 an hour",
    "approval_number": "Board 7",
    "recruitment": "By a notice",
    "retention": "Ten years.",
    "minutes_estimate": 40,
    "break_every": 20,
    "most_lapses": 1,
    "withdrawal": "remove",
}


@st.composite
def rubric_documents(draw: st.DrawFn) -> str | Questions:
    if draw(st.booleans()):
        return draw(words)
    scale = Scale(draw(st.integers(-3, 1)), draw(st.integers(2, 7)))
    points = tuple("x" for _ in scale.values())
    metrics = [
        Metric(key, draw(words), draw(words), draw(words), draw(words), draw(st.sampled_from([(), points])), (), ("a",))
        for key in draw(st.lists(slugs, min_size=1, max_size=3, unique=True))
    ]
    return Questions(draw(words), draw(words), scale, tuple(metrics))


@st.composite
def chat_systems(draw: st.DrawFn) -> tuple[System, ...]:
    names = draw(st.lists(slugs, min_size=1, max_size=3, unique=True))
    mode, heat, longest = st.sampled_from(MODES), st.floats(0, 2), st.integers(16, 8192)
    cut = st.sampled_from(("", "<|msg|>", "\n"))
    return tuple(System(name, draw(words), draw(mode), draw(cut), draw(heat), draw(longest)) for name in names)


def chat_plans() -> st.SearchStrategy[ChatPlan]:
    money = st.none() | st.floats(0.01, 1000)
    return st.builds(
        ChatPlan,
        pace=st.sampled_from(list(PACES)),
        silence=st.floats(0, 30),
        interruption=st.sampled_from(list(INTERRUPTIONS)),
        least_turns=st.integers(1, 5),
        most_turns=st.just(0) | st.integers(5, 200),
        minutes=st.integers(0, 240),
        chats_each=st.none() | st.integers(1, 50),
        chat_cap=money,
        budget=money,
        practice=st.booleans(),
    )


@st.composite
def designs(draw: st.DrawFn) -> Design:
    kind = draw(st.sampled_from(document.KINDS))
    whole = st.none() | st.integers(5, 90)
    numbers = ("background_count", "raters_per_item", "minutes_estimate", "break_every", "most_lapses")
    fields: dict[str, Any] = {name: field.default for name, field in document.FIELDS.items()}
    fields |= {name: draw(whole) for name in numbers}
    fields["least_passed"] = None if kind == "chats" else draw(whole)
    fields |= {name: draw(text) for name in ("guidelines", "consent_text", "pay_note", "writer", "retention")}
    fields |= {"name": draw(words), "corpus": draw(words), "public_name": draw(words), "kind": kind}
    fields |= {"tidy_display": draw(st.booleans()), "seed": draw(st.integers(0, 2**31 - 1))}
    two = st.lists(slugs, min_size=2, max_size=2, unique=True)
    pairs = draw(st.lists(two, min_size=1, max_size=3, unique_by=lambda pair: frozenset(pair)))
    versions = {slug for pair in pairs for slug in pair}
    if kind == "chats":
        fields["writer"] = ""
        return Design(fields, (), (), draw(rubric_documents()), (), draw(chat_systems()), draw(chat_plans()))
    other = draw(words) if kind == "pairs" else None
    expected = draw(st.dictionaries(slugs, st.integers(-9, 9), min_size=1, max_size=3))
    checks = (Check(draw(st.sampled_from(document.PURPOSES)), draw(words), expected, other, 1, draw(text)),)
    return Design(
        fields,
        tuple(sorted(versions)),
        tuple((one, two) for one, two in pairs) if kind == "pairs" else (),
        draw(rubric_documents()),
        checks if draw(st.booleans()) else (),
    )


@given(designs())
def test_any_design_reads_back_from_its_document_as_itself(made: Design) -> None:
    assert document.read(json.dumps(made.to_json(), ensure_ascii=False).encode()) == made


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*document.FIELDS, *document.OWN]), json_values, max_size=6))
def test_whatever_json_holds_is_read_or_refused_with_reasons(value: dict[str, Any]) -> None:
    data = json.dumps({**value, "format": "another"}).encode()
    # Python also writes NaN and Infinity, which are not JSON.
    with pytest.raises(DocumentError, match=r"not a study design|not JSON"):
        document.read(data)
    # Anything but DocumentError would be an error of the server.
    with contextlib.suppress(DocumentError):
        document.read(json.dumps(value).encode())


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff\xfe{", "not UTF-8"),
        (b"{", "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[]", "one JSON object"),
        (b'{"format": "stephanie-example-set"}', "not a study design"),
        (b'{"format_version": 99}', "later release"),
        (b'{"name": "A", "corpus": "C", "versions": ["alpha"], "secret": 1}', "no part called 'secret'"),
        (b'{"corpus": "C", "versions": ["alpha"]}', "name is missing"),
        (b'{"name": "A", "corpus": "C", "versions": []}', "versions must be"),
        (b'{"name": "A", "corpus": "C", "versions": ["alpha"], "seed": true}', "seed must be"),
        (b'{"name": "A", "corpus": "C", "kind": "pairs", "pairs": [["a", "a"]]}', "two different versions"),
        (b'{"name": "A", "corpus": "C", "versions": ["alpha"], "checks": [{"purpose": "rated"}]}', "number 1"),
        (b'{"name": "A", "corpus": "C", "versions": ["alpha"], "rubric": {"slug": "x"}}', "rubric must be"),
        (b'{"name": "A", "corpus": "C", "versions": ["alpha"], "systems": [1]}', "only a study of the kind chats"),
        (b'{"name": "A", "corpus": "C", "kind": "chats"}', "systems must be a list of 1 to 6"),
        (CHATS % b'"systems": [{"name": "A"}]', "number 1: it needs a name and an endpoint"),
        (CHATS % b'"systems": [{"name": "A", "endpoint": "E"}, {"name": "a", "endpoint": "E"}]', "different names"),
        (CHATS % b'"systems": [{"name": "A", "endpoint": "E", "mode": "other"}]', "mode must be one of"),
        (CHATS % b'"systems": [{"name": "A", "endpoint": "E", "delimiter": "</s>"}]', "mark turns"),
        (
            ONE % b'"conversation": {"speed": 1}',
            "no part called 'speed'",
        ),
        (ONE % b'"conversation": {"minutes": "x"}', "minutes does not fit"),
        (ONE % b'"conversation": {"silence": 99}', "silence before"),
        (ONE % b'"sources": {"run": [1]}', "no written dialogues"),
    ],
)
def test_what_is_no_design_is_refused_with_a_reason(data: bytes, said: str) -> None:
    with pytest.raises(DocumentError, match=said):
        document.read(data)


def full(name: str = "Full", **fields: Any) -> Study:
    """A draft with everything that a design can hold."""
    one = draft(2, of=corpus(8), name=name, background_count=2, **{**FULL, **fields})
    for place, purpose in enumerate(("training", "gold", "attention")):
        kept = one.corpus.dialogues.get(key=f"d{place}-beta")
        check(one, kept, purpose, note=f"About {purpose}", tolerance=2)
    return one


@pytest.mark.django_db
def test_what_is_exported_makes_the_same_design_elsewhere(tmp_path: Path) -> None:
    one = full()
    path = tmp_path / "design.json"
    path.write_text(files.exported(one))
    out = StringIO()
    call_command("create_study", "--design", str(path), "--name", "Again", "--draft", "--json", stdout=out)
    again = Study.objects.get(pk=json.loads(out.getvalue())["id"])
    first, second = files.document_of(one).to_json(), files.document_of(again).to_json()
    assert second == {**first, "name": "Again"}
    assert again.rubric == one.rubric


@pytest.mark.django_db
def test_a_study_of_chats_leaves_and_comes_back_with_its_systems_and_its_plan(tmp_path: Path) -> None:
    one = chat_draft(systems=[system("One"), system("Two", mode="plain", delimiter="")], chat_plan=PLAN.as_json())
    path = tmp_path / "design.json"
    path.write_text(files.exported(one))
    out = StringIO()
    call_command("create_study", "--design", str(path), "--name", "Again", "--json", stdout=out)
    again = Study.objects.get(pk=json.loads(out.getvalue())["id"])
    assert again.is_open
    assert files.document_of(again).to_json() == {**files.document_of(one).to_json(), "name": "Again"}
    assert systems_of(again) == systems_of(one)
    assert ChatPlan.of(again.chat_plan) == PLAN


@pytest.mark.django_db
def test_a_system_at_an_unknown_endpoint_is_refused_and_a_missing_delimiter_is_the_models_own() -> None:
    endpoint("Here", delimiter="<|cut|>")
    found = files.document_of(chat_draft())
    wanted = replace(found, fields={**found.fields, "name": "Other"}, systems=(System("A", "Gone"),))
    with pytest.raises(DocumentError, match=r"There is no endpoint 'Gone'\. Available: At Tuned, At Untuned, Here"):
        files.make_from(wanted, by=None)
    made = files.make_from(replace(wanted, systems=(System("A", "Here"),)), by=None)
    assert made.systems.get().delimiter == "<|cut|>"


def test_documents_and_pages_know_the_same_ways_to_ask() -> None:
    assert tuple(KNOWN_MODES) == MODES


@pytest.mark.django_db
def test_a_rubric_that_differs_here_is_made_under_a_name_of_its_own() -> None:
    one = draft(of=corpus(1))
    own = Metric("depth", "Depth", "d", "l", "h")
    asked = Questions("paper-six", "Theirs", Scale(1, 7), (own,))
    found = files.document_of(one)
    made = files.make_from(replace(found, fields={**found.fields, "name": "Other"}, rubric=asked), by=None)
    assert made.rubric.slug == "theirs"
    assert made.rubric.metric_list() == (own,)
    assert Rubric.objects.get(slug="paper-six") != made.rubric


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"corpus": "Nowhere"}, 2, "There is no corpus 'Nowhere'"),
        ({"versions": ["alpha", "nothing"]}, 2, "No such version: nothing"),
        ({"rubric": "unheard-of"}, 2, "There is no rubric"),
        ({"checks": [{"purpose": "gold", "dialogue": "none", "expected": {"natural": 1}}]}, 2, "no dialogue 'none'"),
        ({"name": "Full"}, 2, "A study named"),
        ({"consent_text": "Ask [name]."}, 3, "place to fill in"),
        ({"seed": -1}, 2, "seed must be"),
    ],
)
def test_the_command_refuses_with_a_reason_and_keeps_nothing(
    tmp_path: Path, change: dict[str, Any], code: int, said: str
) -> None:
    one = full()
    path = tmp_path / "design.json"
    path.write_text(json.dumps({**json.loads(files.exported(one)), "name": "New", **change}))
    with pytest.raises(CommandError, match=said) as error:
        call_command("create_study", "--design", str(path))
    assert error.value.returncode == code
    assert Study.objects.count() == 1


@pytest.mark.django_db
def test_the_command_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Give --design, or --corpus, --versions, --name"):
        call_command("create_study")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("create_study", "--design", str(tmp_path / "none.json"))


@pytest.mark.parametrize("launched", [False, True])
def test_the_design_is_downloaded_from_the_studys_page(researcher: Client, launched: bool) -> None:
    one = full("A <b> & “name”")
    if launched:
        launch.launch(study=one, by=None)
    assert (
        reverse("study_design_json", args=[one.pk])
        in researcher.get(
            reverse("study_design", args=[one.pk]) if launched else one.get_absolute_url()
        ).content.decode()
    )
    answer = researcher.get(reverse("study_design_json", args=[one.pk]))
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert document.read(answer.content) == files.document_of(one)


def test_the_next_version_is_a_copy_that_leaves_the_launched_one_alone(researcher: Client) -> None:
    one = launch.launch(study=full(), by=None)
    member(one, "ann")
    before = Study.objects.values().get(pk=one.pk)
    answer = researcher.post(reverse("study_next", args=[one.pk]))
    draft_of = Study.objects.get(name="Full v2")
    assert answer.headers["Location"] == draft_of.get_absolute_url()
    assert (draft_of.previous, draft_of.version, draft_of.is_draft) == (one, 2, True)
    first, second = files.document_of(one).to_json(), files.document_of(draft_of).to_json()
    assert second == {**first, "name": "Full v2"}
    assert not draft_of.memberships.exists()
    # A second click leads to the same draft.
    researcher.post(reverse("study_next", args=[one.pk]))
    assert Study.objects.filter(previous=one).count() == 1
    assert Study.objects.values().get(pk=one.pk) == before
    for page, other in ((one, draft_of), (draft_of, one)):
        assert other.get_absolute_url() in researcher.get(page.get_absolute_url()).content.decode()
    again = launch.launch(study=draft_of, by=None)
    chosen = [set(row.items.values_list("dialogue", "purpose")) for row in (one, again)]
    assert chosen[0] == chosen[1]
    assert next_version(study=again, by=None).name == "Full v3"


@pytest.mark.django_db
def test_a_name_of_the_next_version_that_is_taken_or_too_long_is_mended() -> None:
    chats = corpus(1)
    draft(of=chats, name="Short v2")
    assert next_version(study=study(of=chats, name="Short"), by=None).name == "Short v2 (2)"
    assert next_version(study=study(of=chats, name="x" * 120), by=None).name == "x" * 117 + " v2"
    with pytest.raises(drafting.DesignError, match="is a draft"):
        next_version(study=draft(of=chats), by=None)


def test_the_methods_text_holds_the_facts_of_the_record_and_no_others(researcher: Client) -> None:
    one = full()
    page = researcher.get(reverse("study_methods", args=[one.pk]), follow=True)
    assert "Launch the study first" in page.content.decode()
    one = launch.launch(study=one, by=None)
    written = researcher.get(reverse("study_methods", args=[one.pk])).content.decode()
    assert written == methods_text(one)
    for fact in (
        "8 dialogues", "2 backgrounds", "random sample with seed 7", "For each item, 2 ratings were requested",
        "12 an hour.", "Board 7.",
        "Recruitment: By a notice.", "Retention: Ten years.", consent_fingerprint(one), "1 training item with feedback",
        "more than 1 attention check is", "Williams design", "scores are removed", "every 20 minutes",
        "Interesting, Informative", "from 1 to 5", "version 1",
    ):  # fmt: skip
        assert fact in written, fact
    bare = methods_text(study(of=corpus(1, name="Bare")))
    assert "No consent text was shown." in bare
    assert "approval" not in bare
    assert "Raters saw neither" in bare
    assert "random sample" not in bare


@pytest.mark.django_db
def test_the_methods_text_of_pairs_names_them() -> None:
    one = launch.launch(study=draft(of=corpus(2), kind="pairs", pairs=[["alpha", "stephanie"]]), by=None)
    written = methods_text(one)
    assert "2 pairs of dialogues from 2 backgrounds were to be compared (α with Stephanie)" in written
    assert "left, same or right" in written
    assert "the sides change from one block to the next" in written


@pytest.mark.django_db
@pytest.mark.parametrize("k", [None, 1])
def test_the_methods_text_counts_one_of_a_thing_as_one(k: int | None) -> None:
    one = draft(k, of=corpus(2, ("alpha",)), versions=("alpha",), most_lapses=2)
    check(one, one.corpus.dialogues.get(key="d0"), "attention", note="Choose 4.")
    written = methods_text(launch.launch(study=one, by=None))
    assert "1 dialogue was to be scored: α of 1 background." in written
    assert "There was also 1 attention check; none of this is counted in any result." in written
    assert "more than 2 attention checks is" in written
    assert k is None or "For each item, 1 rating was requested" in written


@pytest.mark.django_db
def test_a_pair_design_with_its_checks_goes_round() -> None:
    one = draft(of=corpus(3), kind="pairs", pairs=[["alpha", "stephanie"]], name="Pairs")
    first, second = (one.corpus.dialogues.get(key=f"d0-{version}") for version in ("beta", "gamma"))
    check(one, first, "gold", other=second, expected={"natural": -1})
    found = document.read(files.exported(one).encode())
    again = files.make_from(
        Design({**found.fields, "name": "B"}, found.versions, found.pairs, found.rubric, found.checks), by=None
    )
    assert again.pairs == [["alpha", "stephanie"]]
    assert again.items.get().other == second
    assert rubrics.is_used(again.rubric)

"""An analysis plan is written before the launch, freezes with the design, and can be told from any other."""

import json
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from annotation.design import drafting, files, launch
from annotation.design.checklist import musts, shoulds
from annotation.design.methods import methods_text
from annotation.design.plan import AnalysisPlan, Asked, PlannedPower, read_plan, status
from annotation.design.plan_record import asked_of, hash_of_plan, plan_document, plan_of
from annotation.design.plan_text import canonical, sha256_of, texts
from annotation.design.record_views import next_version
from annotation.design.selection import select
from annotation.models import FrozenDesignError, Study
from annotation.triggers import TRIGGERS
from core.json_documents import DocumentError
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from tests.annotation.chat_designs import chat_draft
from tests.annotation.setting import corpus, draft

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
slugs = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
pairs = st.lists(slugs, min_size=2, max_size=2, unique=True).map(tuple)
PLAN = AnalysisPlan(
    question="Stephanie reads as more natural than γ.",
    metrics=("natural", "engaging"),
    contrasts=(("gamma", "stephanie"),),
    raters=3,
    backgrounds=3,
    margin=0.3,
    not_worse=(("alpha", "stephanie"),),
    exclusion="Raters who give one score throughout.",
)
POWER = PlannedPower(3, 3, 0.5, 0.42, 0.4, 0.0, 0.35, 0.2, 1.1, 2000, 1)
ASKED = Asked(("natural", "engaging"), {("gamma", "stephanie"): ("natural",), ("alpha", "gamma"): ("engaging",)})


@st.composite
def powers(draw: st.DrawFn) -> PlannedPower:
    count, points, share = st.integers(1, 10_000), st.floats(0, 1000), st.floats(0, 1)
    deviations = [draw(points) for _ in range(5)]
    seed, population = draw(st.integers(0, 2**31 - 1)), draw(st.sampled_from([None, "like", "these"]))
    sizes = draw(count), draw(count)
    return PlannedPower(*sizes, draw(points), draw(share), *deviations, draw(count), seed, population)


def plans() -> st.SearchStrategy[AnalysisPlan]:
    return st.builds(
        AnalysisPlan,
        question=text,
        metrics=st.lists(slugs, max_size=3, unique=True).map(tuple),
        contrasts=st.lists(pairs, max_size=3, unique_by=frozenset).map(tuple),
        family=st.sampled_from(["all", "primary", None]),
        population=st.sampled_from(["like", "these", None]),
        raters=st.none() | st.integers(1, 10_000),
        backgrounds=st.none() | st.integers(1, 10_000_000),
        margin=st.none() | st.floats(0.001, 1000),
        not_worse=st.lists(pairs, max_size=3, unique=True).map(tuple),
        exclusion=text,
        stopping=st.sampled_from(["planned", "date", "words"]),
        stopping_date=st.just("") | st.dates().map(lambda day: day.isoformat()),
        stopping_words=text,
        power=st.none() | powers(),
    )


@given(plans())
def test_any_plan_reads_back_from_its_document_as_itself(made: AnalysisPlan) -> None:
    problems: list[str] = []
    assert read_plan(json.loads(json.dumps(made.as_json())), problems) == made
    assert problems == []
    assert AnalysisPlan.of(made.as_json()) == made


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(list(AnalysisPlan().as_json())), json_values, max_size=5))
def test_whatever_json_holds_is_a_plan_or_is_refused_with_a_reason(value: dict[str, Any]) -> None:
    problems: list[str] = []
    found = read_plan(value, problems)
    assert (found is None) == bool(problems or not value)
    assert all(sentence.startswith("analysis_plan") for sentence in problems)


@given(plans(), slugs, pairs)
def test_only_a_primary_metric_of_a_primary_pair_is_confirmatory(made: AnalysisPlan, metric: str, pair: Any) -> None:
    for key in (*made.metrics, metric):
        for first, second in (*made.contrasts, pair):
            planned = key in made.metrics and ((first, second) in made.contrasts or (second, first) in made.contrasts)
            assert (status(made, key, first, second) == "confirmatory") == planned
            assert status(made, key, first, second) == status(made, key, second, first)
    assert status(None, metric, *pair) == "exploratory"


def test_the_family_is_all_that_is_asked_or_only_what_is_primary() -> None:
    plan = replace(PLAN, metrics=("natural",), not_worse=(), margin=None)
    natural, engaging = ("natural", ("gamma", "stephanie")), ("engaging", ("alpha", "gamma"))
    assert plan.family_of(ASKED) == (natural, engaging)
    assert replace(plan, family="primary").family_of(ASKED) == (natural,)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"metrics": ()}, "at least one primary metric"),
        ({"raters": None}, "how many raters"),
        ({"backgrounds": None}, "how many backgrounds"),
        ({"margin": None}, "such pairs need a margin"),
        ({"not_worse": ()}, "A margin needs the pairs"),
        ({"stopping": "date"}, "last day"),
        ({"stopping": "words", "stopping_words": " "}, "in words when the study ends"),
        ({"power": replace(POWER, raters=4)}, "other numbers of raters"),
        ({"power": replace(POWER, population="these")}, "a claim about other raters"),
        ({"power": replace(POWER, population="like"), "population": "these"}, "a claim about other raters"),
    ],
)
def test_what_a_plan_lacks_is_said(change: dict[str, Any], said: str) -> None:
    assert PLAN.problems() == []
    (sentence,) = replace(PLAN, **change).problems()
    assert said in sentence


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"metrics": ("natural", "warm")}, "the metric warm, which is not asked"),
        ({"contrasts": (("gamma", "stephanie"), ("beta", "gamma"))}, "compares beta with gamma"),
        (
            {"contrasts": (("gamma", "stephanie"), ("gamma", "alpha"))},
            "No primary metric is asked of both gamma and alpha",
        ),
        ({"contrasts": ()}, "at least one primary pair"),
    ],
)
def test_what_does_not_fit_the_study_is_said(change: dict[str, Any], said: str) -> None:
    plan = replace(PLAN, metrics=("natural",), margin=None, not_worse=())
    assert plan.misfits(ASKED) == []
    (sentence,) = replace(plan, **change).misfits(ASKED)
    assert said in sentence


def test_a_plan_of_pairs_has_neither_margin_nor_power() -> None:
    plan = replace(PLAN, metrics=("natural",), margin=None, not_worse=(), family=None, population=None)
    asked = replace(ASKED, compares=True)
    assert plan.misfits(asked) == []
    for change in ({"margin": 0.3}, {"power": POWER}):
        assert replace(plan, **change).misfits(ASKED) == []  # type: ignore[arg-type]
        (sentence,) = replace(plan, **change).misfits(asked)  # type: ignore[arg-type]
        assert "neither a margin nor a power" in sentence


def test_a_plan_of_before_powers_had_a_population_reads_back_with_the_same_hash() -> None:
    stored = {
        **replace(PLAN, power=POWER).as_json(),
        "power": {
            "raters": 3, "backgrounds": 3, "difference": 0.5, "power": 0.42, "background": 0.4, "item": 0.0,
            "rater": 0.35, "rater_version": 0.2, "residual": 1.1, "studies": 2000, "seed": 1,
        },
    }  # fmt: skip
    found = AnalysisPlan.of(stored)
    assert found is not None
    assert found.problems() == []
    assert canonical(found.as_json()) == canonical(stored)


def planned(plan: AnalysisPlan = PLAN, **fields: Any) -> Study:
    """A draft on three backgrounds with a plan."""
    return draft(**{"k": 3, "of": corpus(3), **fields}, analysis_plan=plan.as_json())


def steps(found: list[Any]) -> dict[str, str]:
    return {problem.step: problem.text for problem in found}


@pytest.mark.django_db
def test_a_study_without_a_plan_can_be_launched_and_is_told_what_that_means() -> None:
    one = draft(3, of=corpus(2))
    assert "everything in the report is exploratory" in steps(shoulds(one))["analysis"]
    launched = launch.launch(study=one, by=None)
    assert launched.plan_sha256 == ""
    with pytest.raises(CommandError, match="has no analysis plan") as error:
        call_command("study", "plan", launched.name)
    assert error.value.returncode == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"raters": 2}, "The plan says 2 raters of each dialogue, and the design 3"),
        ({"backgrounds": 40}, "The plan says 40 backgrounds, and the design 3"),
        ({"metrics": ("warm",)}, "the metric warm"),
    ],
)
def test_a_plan_that_contradicts_its_design_is_not_launched(change: dict[str, Any], said: str) -> None:
    one = planned(replace(PLAN, **change))
    assert said in " ".join(problem.text for problem in musts(one, select(one)) if problem.step == "analysis")
    with pytest.raises(drafting.DesignError, match=said):
        launch.launch(study=one, by=None)


@pytest.mark.django_db
def test_the_launch_freezes_the_plan_and_records_its_hash() -> None:
    one = planned()
    before = hash_of_plan(one)
    launched = launch.launch(study=one, by=None)
    assert launched.plan_sha256 == before == sha256_of(plan_document(launched))
    event = AuditEvent.objects.get(verb=AuditVerb.STUDY_LAUNCHED, subject=f"study:{one.pk}")
    assert event.detail["plan_sha256"] == before
    assert f"So was the plan of its analysis (SHA-256 {before})." in methods_text(launched)
    launched.analysis_plan = replace(PLAN, margin=0.5).as_json()
    with pytest.raises(FrozenDesignError):
        launched.save(update_fields=["analysis_plan"])
    with pytest.raises(drafting.DesignError):
        drafting.change_study(study=launched, by=None, analysis_plan={})
    for change in ({"analysis_plan": {}}, {"plan_sha256": ""}):
        with pytest.raises(DatabaseError, match="analysis plan of a launched study"), transaction.atomic():
            Study.objects.filter(pk=one.pk).update(**change)


@pytest.mark.django_db
def test_more_raters_and_backgrounds_leave_the_plan_and_its_hash_as_they_were() -> None:
    launched = launch.launch(study=planned(replace(PLAN, backgrounds=2), background_count=2), by=None)
    launch.extend(study=launched, raters_per_item=5, by=None)
    launch.add_items(study=launched, backgrounds=1, by=None)
    launched.refresh_from_db()
    assert hash_of_plan(launched) == launched.plan_sha256


def printed(*words: str) -> str:
    out = StringIO()
    call_command("study", "plan", *words, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["osf", "aspredicted", "json"])
def test_a_registered_text_is_known_again_and_one_changed_byte_is_not(tmp_path: Path, form: str) -> None:
    one = planned()
    option = ("--json",) if form == "json" else ("--form", form)
    registered = tmp_path / "registered.txt"
    registered.write_text(printed(one.name, *option), encoding="utf-8")
    launched = launch.launch(study=one, by=None)
    assert launched.plan_sha256 in printed(one.name, "--verify", str(registered))
    assert printed(one.name, *option) == registered.read_text(encoding="utf-8")
    whole = registered.read_bytes()
    # A changed byte in a text of several bytes a letter may make it no text at all, so take letters of one byte.
    for place in (0, whole.index(b"Hypothes" if form == "osf" else b"hypothes" if form != "json" else b"natural")):
        registered.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        if form == "json":
            with pytest.raises(CommandError, match="not letter by letter") as error:
                printed(one.name, "--verify", str(registered))
            assert error.value.returncode == 1
        else:
            said = printed(one.name, "--verify", str(registered))
            assert said.startswith(f"{registered} bears the plan's hash; its words are not checked.")
            assert json.loads(printed(one.name, "--verify", str(registered), "--json"))["checked"] == "hash"
    registered.write_bytes(whole[:-2] + bytes([whole[-2] ^ 1]) + whole[-1:])
    with pytest.raises(CommandError, match="not letter by letter, and without its hash") as error:
        printed(one.name, "--verify", str(registered))
    assert error.value.returncode == 1


@pytest.mark.django_db
def test_a_text_with_the_words_of_an_earlier_release_is_known_by_its_hash(tmp_path: Path) -> None:
    one = planned()
    registered = tmp_path / "registered.txt"
    earlier = "Every other number in the report is exploratory and is marked so."
    now = printed(one.name)
    worded = re.sub(r"(?<=Exploratory analysis\n).*", earlier, now)
    assert worded != now
    registered.write_text(worded, encoding="utf-8")
    launched = launch.launch(study=one, by=None)
    assert f"its words are not checked. SHA-256 {launched.plan_sha256}" in printed(
        one.name, "--verify", str(registered)
    )
    # The hash of another plan is not this one's.
    other = draft(3, of=one.corpus, name="Other", analysis_plan=replace(PLAN, margin=0.4).as_json())
    with pytest.raises(CommandError, match="without its hash"):
        printed(other.name, "--verify", str(registered))


@pytest.mark.django_db
def test_verify_notices_a_plan_that_was_changed_past_every_guard() -> None:
    launched = launch.launch(study=planned(), by=None)
    assert printed(launched.name, "--verify") == f"The plan is the one of the launch. SHA-256 {launched.plan_sha256}\n"
    with TRIGGERS.lifted():
        Study.objects.filter(pk=launched.pk).update(analysis_plan=replace(PLAN, margin=0.31).as_json())
    with pytest.raises(CommandError, match=f"the launch recorded {launched.plan_sha256}") as error:
        printed(launched.name, "--verify")
    assert error.value.returncode == 1


@pytest.mark.django_db
def test_verify_says_what_it_cannot_do(tmp_path: Path) -> None:
    one = planned()
    with pytest.raises(CommandError, match="A draft has no recorded hash"):
        printed(one.name, "--verify")
    with pytest.raises(CommandError, match="cannot be read") as error:
        printed(one.name, "--verify", str(tmp_path / "none.txt"))
    assert error.value.returncode == 2


@pytest.mark.django_db
def test_the_texts_say_what_was_planned_and_carry_the_hash_of_the_json() -> None:
    one = planned(replace(PLAN, power=POWER), most_lapses=1)
    document = plan_document(one)
    written = texts(document)
    for form in ("osf", "aspredicted"):
        words = written[form]
        for said in (
            PLAN.question,
            "Natural, Engaging",
            "Stephanie minus γ",
            "no worse than α",
            "this analysis, with their p values, and the claims of no worse.",
            "above −0.3 points",
            "all pairs of versions × the metrics asked of both, 36 tests in all",
            "3 backgrounds, which give 12 dialogues; 3 raters for each dialogue: 36 ratings.",
            "power of 42%",
            "one two-sided test at .05 without adjustment, for a claim whose raters (these alone, or raters like "
            "these) are not on record, with both versions of 3 backgrounds scored by the same 3 raters.",
            PLAN.exclusion,
            "fails more than 1 attention check is screened out",
            "raters like these",
            "(1 | rater:version)",
            sha256_of(document),
        ):
            assert said in words, (form, said)
    assert sha256_of(json.loads(canonical(document))) == sha256_of(document)


@pytest.mark.django_db
def test_a_plan_travels_with_the_design_and_into_the_next_version(tmp_path: Path) -> None:
    one = planned(replace(PLAN, power=POWER))
    path = tmp_path / "design.json"
    path.write_text(files.exported(one), encoding="utf-8")
    call_command("study", "create", "--design", str(path), "--name", "Again", stdout=StringIO())
    again = Study.objects.get(name="Again")
    assert again.is_open
    assert plan_of(again) == plan_of(one)
    later = next_version(study=again, by=None)
    assert plan_of(later) == plan_of(one)
    assert later.plan_sha256 == ""


@pytest.mark.django_db
def test_a_plan_of_chats_names_systems_in_the_file_and_their_versions_here() -> None:
    one = chat_draft(raters_per_item=2)
    (pair,) = asked_of(one).pairs
    metric = one.rubric.metric_list()[0].key
    plan = AnalysisPlan(metrics=(metric,), contrasts=(pair,), raters=2, backgrounds=len(select(one).choices))
    drafting.change_study(study=one, by=None, analysis_plan=plan.as_json())
    one.refresh_from_db()
    found = files.document_of(one)
    names = [system.version.name for system in one.systems.all()]
    assert found.analysis_plan is not None
    assert sorted(found.analysis_plan.contrasts[0]) == sorted(names)
    made = files.make_from(replace(found, fields={**found.fields, "name": "Again"}), by=None)
    assert plan_of(made) == plan
    launched = launch.launch(study=made, by=None)
    assert names[0] in texts(plan_document(launched))["osf"]
    assert launched.plan_sha256 == hash_of_plan(launched)


def test_a_document_with_a_plan_that_does_not_fit_is_refused_with_a_reason() -> None:
    with pytest.raises(DocumentError, match="margin must be a number above 0"):
        AnalysisPlan.of({"margin": 0})
    with pytest.raises(DocumentError, match="no part called 'extra'"):
        AnalysisPlan.of({"extra": 1})


def step(one: Study) -> str:
    return reverse("study_step", args=[one.pk, "analysis"])


SENT = {
    "question": "Is it?",
    "metrics": ["natural"],
    "contrasts": ["gamma:stephanie"],
    "family": "primary",
    "population": "these",
    "raters": "3",
    "backgrounds": "3",
    "margin": "",
    "stopping": "date",
    "stopping_date": "2026-12-31",
}


@pytest.mark.django_db
def test_the_step_keeps_a_plan_and_an_emptied_one_is_none(researcher: Client) -> None:
    one = draft(3, of=corpus(3))
    seen = researcher.get(step(one)).context["form"]["seen"].initial
    assert researcher.post(step(one), {**SENT, "seen": seen}).status_code == 302
    one.refresh_from_db()
    assert plan_of(one) == AnalysisPlan(
        "Is it?", ("natural",), (("gamma", "stephanie"),), "primary", "these", 3, 3, stopping="date",
        stopping_date="2026-12-31",
    )  # fmt: skip
    page = researcher.get(step(one))
    assert "Text for OSF" in page.content.decode()
    emptied = {**SENT, "question": "", "metrics": [], "contrasts": [], "seen": page.context["form"]["seen"].initial}
    assert researcher.post(step(one), emptied).status_code == 302
    one.refresh_from_db()
    assert one.analysis_plan == {}


@pytest.mark.django_db
def test_the_step_says_what_a_plan_lacks_and_keeps_nothing(researcher: Client) -> None:
    one = draft(3, of=corpus(3))
    for change, said in (
        ({"metrics": []}, "Choose at least one primary metric."),
        ({"contrasts": []}, "Choose at least one primary pair of versions."),
        ({"margin": "0"}, "A margin is more than 0 points."),
        ({"margin": "0.5"}, "A margin needs the pairs"),
        ({"stopping_date": ""}, "Name the last day of ratings."),
        ({"raters": ""}, "Say how many raters score each dialogue."),
    ):
        page = researcher.post(step(one), {**SENT, **change})
        assert page.status_code == 422
        assert said in page.content.decode()
    one.refresh_from_db()
    assert one.analysis_plan == {}


@pytest.mark.django_db
def test_a_plan_of_pairs_offers_the_pairs_that_are_shown_and_no_margin(researcher: Client) -> None:
    one = draft(of=corpus(3), kind="pairs", pairs=[["gamma", "stephanie"]], versions=("gamma", "stephanie"))
    form = researcher.get(step(one)).context["form"]
    assert form.fields["contrasts"].choices == [("gamma:stephanie", "Stephanie beside γ")]
    assert not {"margin", "not_worse", "family", "population"} & form.fields.keys()
    assert researcher.post(step(one), {**SENT, "seen": form["seen"].initial}).status_code == 302
    one.refresh_from_db()
    kept = plan_of(one)
    assert kept is not None
    assert (kept.family, kept.population, kept.margin) == (None, None, None)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "stays"),
    [
        ({}, True),
        ({"question": "Is it so?"}, True),
        ({"population": "like"}, False),
        ({"raters": "4"}, False),
        ({"backgrounds": "2"}, False),
    ],
)
@pytest.mark.parametrize("population", ["these", None])
def test_a_power_stays_in_the_plan_only_with_what_it_was_computed_for(
    researcher: Client, change: dict[str, str], stays: bool, population: Any
) -> None:
    power = replace(POWER, population=population)
    plan = replace(PLAN, population="these", margin=None, not_worse=(), power=power)
    one = draft(3, of=corpus(3), analysis_plan=plan.as_json())
    sent = {**SENT, "seen": researcher.get(step(one)).context["form"]["seen"].initial, **change}
    assert researcher.post(step(one), sent).status_code == 302
    one.refresh_from_db()
    kept = plan_of(one)
    assert kept is not None
    assert kept.power == (power if stays else None)


@pytest.mark.django_db
def test_the_record_of_a_design_shows_the_plan_and_gives_its_files(researcher: Client) -> None:
    launched = launch.launch(study=planned(), by=None)
    page = researcher.get(reverse("study_design", args=[launched.pk])).content.decode()
    assert launched.plan_sha256 in page
    assert "It gives the hash that the launch recorded." in page
    for form, address in (
        ("json", reverse("study_plan_json", args=[launched.pk])),
        ("osf", reverse("study_plan_text", args=[launched.pk, "osf"])),
    ):
        answer = researcher.get(address)
        assert answer.content.decode() == texts(plan_document(launched))[form]
        assert re.search(r'filename="study-\d+-plan[^"]*"', answer.headers["Content-Disposition"])
    assert researcher.get(reverse("study_plan_text", args=[launched.pk, "other"])).status_code == 404

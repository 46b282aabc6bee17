"""Every byte that reaches a rater is searched for what they must not know."""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest
from django.db import connection, models
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.allocation import repeats as repeating
from annotation.models import Assignment, Item, Membership, Rating, Restructuring, Score, Study
from annotation.monitoring import states
from annotation.rating.rater_stage import consent_fingerprint
from dialogues.models import Corpus, Dialogue, Version
from tests.annotation.checked_study import give_checks, with_checks, with_training
from tests.annotation.restructured import asked
from tests.annotation.setting import ALL, KEYS, SCORES, corpus, dialogue, member, study
from tests.people import client_of

pytestmark = pytest.mark.django_db
COUNTED = (Corpus, Dialogue, Study, Item, Membership, Assignment, Rating, Score)
# What the product's own name is on pages that say nothing about any dialogue.
BRAND = re.compile(r"Stephanie</a>|Stephanie, a workbench|· Stephanie</title>")


def count_from(model: type[models.Model], first: int) -> None:
    """Let a table's keys begin at a number that no page shows by chance."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, first])
        else:
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, first])


@pytest.fixture(params=[None, 2])
def known_study(request: pytest.FixtureRequest) -> Study:
    """A study whose every secret is known, with keys of seven digits."""
    for place, model in enumerate(COUNTED, 1):
        count_from(model, 7_310_000 + place * 10_000)
    chats = corpus(2, name="Zebrafinch corpus")
    Corpus.objects.filter(pk=chats.pk).update(file_name="quokka-file.txt", file_format="parlai")
    for row in chats.dialogues.all():
        Dialogue.objects.filter(pk=row.pk).update(key=f"wombat-{row.key}")
    made = study(request.param, of=chats, name="Okapi comparison of all four", public_name="Chats to score")
    assert str(made.pk).startswith("73")
    return made


def forbidden() -> list[str]:
    words = ["zebrafinch", "quokka", "wombat", "okapi", "secret-writer", "parlai", "parent", "is_demo", "written_by"]
    words += ["is_repeat", "hidden_repeat", "repeats_due"]
    for version in Version.objects.all():
        words += [version.slug, version.symbol, version.name]
    for model in COUNTED:
        words += map(str, model.objects.values_list("pk", flat=True))  # type: ignore[attr-defined]
    # What an item is for.
    words += [*Item.Purpose.values, *(label for label in Item.Purpose.labels if label != "Rated"), "purpose"]
    words.remove("rated")
    return [word.lower() for word in words]


def everything_sent(client: Client, membership: Membership) -> Iterator[tuple[str, HttpResponse]]:
    """Every page and answer on a rater's way, the refusals included."""

    def get(name: str, token: str = "", follow: bool = False) -> Any:
        return client.get(reverse(name, args=[token] if token else []), follow=follow)

    def post(name: str, token: str, data: dict[str, Any]) -> Any:
        return client.post(reverse(name, args=[token]), data, content_type="application/json")

    full = {"scores": SCORES, "comment": "", "flag": ""}
    yield "list", get("rate")
    yield "next", get("rate_next", membership.token)
    for _ in range(3):
        page = get("rate_next", membership.token, follow=True)
        yield "item", page
        token = page.redirect_chain[-1][0].split("/")[-2]
        submission = str(page.context["item"].submission_id)
        yield "draft", post("rate_draft", token, {"version": 0, **full})
        yield "stale draft", post("rate_draft", token, {"version": 0, **full, "comment": "other"})
        yield "bad draft", post("rate_draft", token, {"version": 1, "scores": {"natural": 9}})
        yield "incomplete", post("rate_submit", token, {"submission_id": submission, "scores": {}})
        yield "incomplete form", client.post(reverse("rate_item", args=[token]), {"submission_id": submission})
        yield "submit", post("rate_submit", token, {"submission_id": submission, **full})
        yield "repeat", post("rate_submit", token, {"submission_id": submission, **full})
        yield "rated item", get("rate_item", token)
    page = get("rate_next", membership.token, follow=True)
    form = {"submission_id": str(uuid.uuid4()), **{f"score-{key}": 3 for key in SCORES}}
    yield "plain form", client.post(page.redirect_chain[-1][0], form)
    page = get("rate_next", membership.token, follow=True)
    skip = page.redirect_chain[-1][0] + "skip/"
    yield "skip without a reason", client.post(skip, {})
    yield "after it", client.get(page.redirect_chain[-1][0])
    yield "skip", client.post(skip, {"reason": "unreadable"})
    yield "missing", get("rate_item", "no-such-token")
    yield "missing answer", post("rate_submit", "no-such-token", {"submission_id": submission, **full})
    yield from until_done(get, post, membership)
    states.close(study=membership.study, by=None)
    yield "closed", get("rate_next", membership.token)
    yield "closed item", get("rate_item", token)
    yield "closed draft", post("rate_draft", token, {"version": 5, **full})
    yield "closed list", get("rate")


def until_done(get: Callable[..., Any], post: Callable[..., Any], membership: Membership) -> Iterator[tuple[str, Any]]:
    while True:
        page = get("rate_next", membership.token, follow=True)
        yield "item", page
        if not page.redirect_chain:
            return
        item = page.context["item"]
        post("rate_submit", item.token, {"submission_id": str(item.submission_id), "scores": SCORES})


def assert_blind(name: str, response: Any) -> None:
    assert response.status_code < 500, name
    headers = json.dumps([*response.headers.items(), *getattr(response, "redirect_chain", [])])
    text = headers + BRAND.sub("", response.content.decode())
    # Unguessable names may hold any letters.
    for token in re.findall(r"[\w-]{60,}|/[\w-]{16}/|[0-9a-f-]{36}|value=\"[\w-]{16}\"", text):
        text = text.replace(token, "")
    leaks = [word for word in forbidden() if word in text.lower()]
    assert not leaks, (name, leaks)


def test_no_byte_sent_to_a_rater_tells_where_a_dialogue_comes_from(known_study: Study) -> None:
    ann = member(known_study, "ann")
    seen = 0
    for name, response in everything_sent(client_of(ann), ann):
        assert_blind(name, response)
        seen += 1
    assert seen > 35


def compared(known: Study) -> Study:
    """The same study with two dialogues an item: each version beside another one of its background."""
    for item in known.items.select_related("dialogue"):
        others = known.corpus.dialogues.filter(key__startswith=item.dialogue.key[:9]).exclude(pk=item.dialogue_id)
        item.other = others.order_by("pk" if item.purpose == "rated" else "-pk")[0]
        item.save(update_fields=["other"])
    Study.objects.filter(pk=known.pk).update(kind=Study.Kind.PAIRS)
    known.refresh_from_db()
    return known


@pytest.mark.parametrize("in_pairs", [False, True])
def test_no_page_on_the_way_tells_what_an_item_is_for_or_where_it_comes_from(
    known_study: Study, in_pairs: bool
) -> None:
    made = with_training(known_study, lessons=1)
    made = with_checks(made)
    if in_pairs:
        # One pair is in a study once, whatever it is for.
        made.items.filter(purpose="attention").delete()
        second = made.items.filter(purpose="rated")[1]
        made.items.filter(purpose="gold").update(dialogue=second.dialogue, background=second.background)
        made = compared(made)
    Study.objects.filter(pk=made.pk).update(
        consent_text="Do you agree?", pay_note="12 an hour", break_every=1, completion_code="DONE", most_lapses=0,
        screen_out_code="OUT",
    )  # fmt: skip
    made.refresh_from_db()
    ann = member(made, "ann")
    give_checks(ann)
    seen = [name for name, response in the_way(client_of(ann), ann) if assert_blind(name, response) is None]
    assert set(seen) >= {"welcome", "agreed", "lesson", "feedback", "practised", "rated", "undone", "leave", "left"}
    assert ("screened out" in seen) is not in_pairs


def the_way(client: Client, ann: Membership) -> Iterator[tuple[str, Any]]:
    """The pages around the items, and each kind of item among them."""

    def get(name: str, *token: str) -> Any:
        return client.get(reverse(name, args=token), follow=True)

    def post(name: str, token: str, **data: Any) -> Any:
        return client.post(reverse(name, args=[token]), data, follow=True)

    yield "welcome", get("rate_next", ann.token)
    yield "not agreed", post("rate_welcome", ann.token)
    yield "agreed", post("rate_welcome", ann.token, fingerprint=consent_fingerprint(ann.study))
    yield "no way back", post("rate_decline", ann.token)
    lesson = get("rate_next", ann.token).context["item"]
    yield "lesson", get("rate_item", lesson.token)
    yield "not skipped", post("rate_skip", lesson.token, reason="unreadable")
    yield "not finished", post("rate_practice", ann.token)
    yield "feedback", post("rate_item", lesson.token, **form_of(lesson))
    yield "practised", get("rate_practice", ann.token)
    yield "begun", post("rate_practice", ann.token)
    while "item" in (page := get("rate_next", ann.token)).context:
        item = page.context["item"]
        yield "item", page
        yield "no feedback", get("rate_feedback", item.token)
        after = post("rate_item", item.token, **form_of(item))
        yield "after it", after
        if after.context.get("item") and after.context["item"].undo_token == item.token:
            yield "undone", post("rate_undo", item.token)
            again = get("rate_item", item.token).context["item"]
            yield "again", post("rate_item", item.token, **form_of(again))
        yield "break", post("rate_break", ann.token, item=item.token)
    yield "screened out" if Membership.objects.get(pk=ann.pk).screened_out_at else "end", page
    yield "rated", get("rate_rated", ann.token)
    yield "about", get("rate_welcome", ann.token)
    for state in ("paused", "closed", "open"):
        Study.objects.filter(pk=ann.study_id).update(state=state)
        yield state, get("rate_next", ann.token)
        yield state, get("rate")
    yield "leave", get("rate_withdraw", ann.token)
    yield "not sure", post("rate_withdraw", ann.token)
    yield "left", post("rate_withdraw", ann.token, sure="yes")


def form_of(item: Any) -> dict[str, Any]:
    point = item.questions[0].points[-1].value
    scores = {f"score-{key}": point for key in KEYS}
    return {"submission_id": str(item.submission_id), **scores, "comment-natural": "a note", "evidence-natural": "1, 2"}


def shape(text: str, item: Any) -> str:
    """A rating page without what differs from item to item: its texts, tokens and the rater's progress."""
    for message in [*(m for turn in item.scene.turns for m in turn["messages"]), item.scene.theme]:
        text = text.replace(message, "") if message else text
    text = re.sub(r"(<p class=\"rate-instruction\"[^>]*>).*?(</p>)", r"\1\2", text)
    text = re.sub(r"<section class=\"rate-background.*?</section>", "", text, flags=re.DOTALL)
    text = re.sub(r"<span class=\"rate-bar-progress\".*?<progress", "", text, flags=re.DOTALL)
    return re.sub(r"[\w-]{36,}|/[\w-]{16}/|\d+", "", text)


def test_gold_and_checks_differ_from_other_items_in_nothing_but_an_instruction(known_study: Study) -> None:
    made = with_checks(known_study)
    ann = member(made, "ann")
    client = client_of(ann)
    shapes = set()
    purposes = []
    for number in range(8):
        if number == 2:
            # The first items have less before them.
            give_checks(ann)
        page: Any = client.get(reverse("rate_next", args=[ann.token]), follow=True)
        item = page.context["item"]
        client.post(reverse("rate_item", args=[item.token]), form_of(item))
        purposes.append(Item.objects.get(assignments__token=item.token).purpose)
        if number > 1:
            shapes.add(shape(page.content.decode(), item))
    assert {"gold", "attention", "rated"} == set(purposes)
    assert len(shapes) == 1


def test_a_repeat_differs_from_a_first_showing_in_nothing(known_study: Study) -> None:
    Study.objects.filter(pk=known_study.pk).update(hidden_repeats=2)
    ann = member(known_study, "ann")
    # Two in the middle, so that there is something behind them.
    Membership.objects.filter(pk=ann.pk).update(repeats_due=[5, 6])
    client = client_of(ann)
    shapes, repeats = set(), []
    with mock.patch.object(repeating, "BETWEEN", 2), mock.patch.object(repeating, "ITEMS_A_REPEAT", 2):
        for number in range(10):
            page: Any = client.get(reverse("rate_next", args=[ann.token]), follow=True)
            assert_blind("item", page)
            item = page.context["item"]
            body = {"submission_id": str(item.submission_id), "scores": SCORES}
            kept = client.post(reverse("rate_submit", args=[item.token]), body, content_type="application/json")
            assert_blind("submit", kept)
            assert_blind("rated item", client.get(reverse("rate_item", args=[item.token])))
            repeats.append(Assignment.objects.get(token=item.token).is_repeat)
            if number > 1:
                shapes.add(shape(page.content.decode(), item))
    assert repeats.count(True) == 2
    assert len(shapes) == 1
    assert page.context["item"].study.pace.total == 10
    assert_blind("list", client.get(reverse("rate_rated", args=[ann.token])))
    assert_blind("end", client.get(reverse("rate_next", args=[ann.token])))


def test_all_versions_of_a_background_are_shown_with_the_same_words_beside_them(known_study: Study) -> None:
    ann = member(known_study, "ann")
    client = client_of(ann.rater)
    beside: dict[int, set[str]] = {}
    shown = 0
    while True:
        page: Any = client.get(reverse("rate_next", args=[ann.token]), follow=True)
        if not page.redirect_chain:
            break
        item = page.context["item"]
        background = Item.objects.get(assignments__token=item.token).background_id
        beside.setdefault(background, set()).add(repr((item.scene.theme, item.scene.traits_1, item.scene.traits_2)))
        data = {"submission_id": str(item.submission_id), "scores": SCORES}
        client.post(reverse("rate_submit", args=[item.token]), data, content_type="application/json")
        shown += 1
    assert shown == 2 * len(ALL)
    assert [len(texts) for texts in beside.values()] == [1, 1]


def test_originals_are_tidied_on_display_unless_the_study_says_otherwise() -> None:
    for tidy, text in ((True, "Hello, words 0"), (False, "hello , words 0")):
        one = study(of=corpus(1, ("alpha",), name=str(tidy)), versions=("alpha",), tidy_display=tidy)
        ann = member(one, "ann")
        client = client_of(ann.rater)
        assert text in client.get(reverse("rate_next", args=[ann.token]), follow=True).content.decode()


def test_no_byte_sent_to_an_annotator_tells_which_dialogue_version_or_writer_they_restructure(
    known_study: Study,
) -> None:
    original = known_study.corpus.dialogues.get(key="wombat-d0-gamma")
    given = {"origin": original.origin, "parent": original, "written_by": "secret-writer-9000"}
    dialogue(known_study.corpus, "wombat-split", "stephanie", "PANGOLIN", **given)
    work = asked("ann", original)
    client = client_of(work.annotator)
    seen = dict(annotating(client, work))
    for name, response in seen.items():
        text = PAPERS.sub("", response.content.decode())
        response.content = text
        assert "PANGOLIN" not in text, name
        assert_blind(name, response)
    assert seen["split by rules"].status_code == 200
    assert {seen[name].status_code for name in seen if name.startswith("split by another")} == {400}


# Figures that the paper prints stand beside those of every dialogue alike, and what is restructured is the original,
# whichever version it is.
PAPERS = re.compile(r"(?i:original)|further-split dialogues</caption>|Paper, Stephanie|· Stephanie|title=\"[^\"]*\"")


def annotating(client: Client, work: Restructuring) -> Iterator[tuple[str, Any]]:
    """Every page and answer on an annotator's way, after a reviewer who has accepted a model's proposal."""

    def post(body: Any, version: int) -> Any:
        sent = {"version": version, "operations": [{"id": str(uuid.uuid4()), "body": body, "age": 1}]}
        return client.post(f"{address}operations/", sent, content_type="application/json")

    address = work.get_absolute_url()
    by = "dialogue:wombat-split"
    accept = {"op": "accept", "at": 0, "texts": ["hello ,", "words 0 again"], "by": by}
    work.operations.create(number=1, body=accept, person=work.annotator, at=timezone.now())
    Restructuring.objects.filter(pk=work.pk).update(version=1)
    yield "list", client.get("/restructure/")
    yield "editor", client.get(address)
    yield "stale", post({"op": "merge", "at": 1}, 0)
    yield "refused", post({**accept, "at": 2}, 1)
    yield "kept", post({"op": "merge", "at": 1}, 1)
    yield "split by rules", client.get(f"{address}proposals/", {"by": "rules"})
    yield "split by another version", client.get(f"{address}proposals/", {"by": by})
    yield "split by another mark", client.get(f"{address}proposals/", {"by": "model:0"})
    yield "plain form", client.post(address, {"version": 2, "text": ["too few"]})
    yield "handed in", client.post(f"{address}submit/", {"version": 2}, follow=True)
    yield "afterwards", client.get(address)
    yield "home", client.get("/", follow=True)
    yield "missing", client.get("/restructure/no-such-token/")

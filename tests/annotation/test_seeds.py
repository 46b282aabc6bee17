"""Choosing dialogues by their figures, and asking people to restructure them."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotation.models import Restructuring
from annotation.restructuring import review, seeds
from annotation.restructuring.seed_views import said
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Corpus, Dialogue
from dialogues.transcript import Transcript
from generation.models import Endpoint
from tests.annotation import handed_in, setting
from tests.dialogues.rows import add_dialogue
from tests.generation import judged

pytestmark = pytest.mark.django_db
CHOOSE, ASK = "/restructurings/choose/", "/restructurings/ask/"


def keys(html: str) -> list[str]:
    """The listed dialogues in their order."""
    return [part.split('"')[0] for part in html.split('aria-label="Take ')[1:]]


def of_runs(corpus: Corpus, key: str, *runs: int) -> Dialogue:
    """A γ whose turns have so many messages each."""
    messages = [[1 + turn % 2, "two words"] for turn, run in enumerate(runs) for _ in range(run)]
    return add_dialogue(corpus, key, messages, "gamma")


def test_the_page_lists_gamma_first_and_other_versions_on_request(browser: Client) -> None:
    setting.corpus(2)
    assert keys(browser.get(CHOOSE).content.decode()) == ["d0-gamma", "d1-gamma"]
    assert keys(browser.get(f"{CHOOSE}?version=beta").content.decode()) == ["d0-beta", "d1-beta"]
    assert len(keys(browser.get(f"{CHOOSE}?version=").content.decode())) == 8


def test_the_list_is_ordered_and_narrowed_by_figures(browser: Client) -> None:
    corpus = Corpus.objects.create(name="Chats")
    of_runs(corpus, "even", 1, 1, 1)
    of_runs(corpus, "long", 7, 1)
    of_runs(corpus, "middle", 3, 1, 1)
    assert keys(browser.get(f"{CHOOSE}?sort=-longest").content.decode()) == ["long", "middle", "even"]
    assert keys(browser.get(f"{CHOOSE}?sort=acmc").content.decode()) == ["even", "middle", "long"]
    assert keys(browser.get(f"{CHOOSE}?longest_min=2&messages_max=6").content.decode()) == ["middle"]
    assert "6+" in browser.get(f"{CHOOSE}?longest_min=6").content.decode()
    assert "No dialogue matches" in browser.get(f"{CHOOSE}?acmc_min=90").content.decode()


def test_the_judges_mean_is_shown_of_all_or_of_one_metric_and_a_dash_without(browser: Client) -> None:
    corpus = setting.corpus(2)
    good, plain = corpus.dialogues.of_version("gamma")
    run = judged.judge_run(corpus, "a judge")
    judged.judge(run, good, 60)
    html = browser.get(f"{CHOOSE}?sort=-score").content.decode()
    assert keys(html) == [good.key, plain.key]
    # `judge` gives 60 to 65 for the six metrics, and 62 for the third.
    assert ">62.5<" in html
    assert ">–<" in html
    assert keys(browser.get(f"{CHOOSE}?score_max=62&metric=natural").content.decode()) == [good.key]
    assert keys(browser.get(f"{CHOOSE}?score_max=62").content.decode()) == []


def test_dialogues_that_somebody_was_asked_for_can_be_left_out(browser: Client) -> None:
    corpus = setting.corpus(2)
    taken, back = corpus.dialogues.of_version("gamma")
    ann = setting.user("ann")
    handed_in.asked(taken, ann)
    handed_in.asked(back, ann, state="withdrawn")
    assert keys(browser.get(f"{CHOOSE}?untouched=on").content.decode()) == [back.key]


def test_ticks_are_kept_from_page_to_page(browser: Client) -> None:
    corpus = Corpus.objects.create(name="Chats")
    rows = [of_runs(corpus, f"g{number:03}", 1, 1) for number in range(60)]
    first, other, last = rows[0], rows[1], rows[55]
    shown = "-".join(str(row.pk) for row in rows[:50])
    second_page = browser.get(f"{CHOOSE}?page=2&dialogue={first.pk}&dialogue={other.pk}&shown={shown}").content.decode()
    assert f'name="ticked" value="{first.pk}-{other.pk}"' in second_page
    assert "2 on other pages so far" in second_page
    shown_2 = "-".join(str(row.pk) for row in rows[50:])
    # On the way back one is ticked here; on the first page one tick was taken away before.
    sent = f"ticked={first.pk}&shown={shown_2}&dialogue={last.pk}"
    assert f'id="take-{first.pk}" aria-label="Take g000" checked' in browser.get(f"{CHOOSE}?{sent}").content.decode()
    ask = browser.get(f"{ASK}?how=ticked&{sent}").content.decode()
    assert "restructure 2 dialogues" in ask
    assert f'value="{first.pk}-{last.pk}"' in ask


def test_the_first_in_the_order_and_a_seeded_sample_are_taken(browser: Client) -> None:
    corpus = Corpus.objects.create(name="Chats")
    rows = [of_runs(corpus, f"g{number}", number + 1, 1) for number in range(6)]
    ask = browser.get(f"{ASK}?how=first&n=2&sort=-messages&version=gamma").content.decode()
    assert f'value="{rows[4].pk}-{rows[5].pk}"' in ask
    samples = [browser.get(f"{ASK}?how=sample&n=3&seed={seed}").content.decode() for seed in (1, 1, 2)]
    chosen = [html.split('name="dialogues" value="')[1].split('"')[0] for html in samples]
    assert chosen[0] == chosen[1] != chosen[2]
    assert len(chosen[0].split("-")) == 3


def test_asking_makes_one_open_copy_for_every_dialogue_and_person(browser: Client, rey: User) -> None:
    corpus = setting.corpus(2)
    gammas = list(corpus.dialogues.of_version("gamma"))
    ann, bob = setting.user("ann"), setting.user("bob")
    sent = {
        "dialogues": "-".join(str(row.pk) for row in gammas),
        "people": [ann.pk, bob.pk],
        "instructions": "Short messages, please.",
    }
    page = browser.post(ASK, sent, follow=True).content.decode()
    assert "4 restructurings asked for." in page
    rows = Restructuring.objects.all()
    assert {(row.original_id, row.annotator_id) for row in rows} == {
        (dialogue.pk, person.pk) for dialogue in gammas for person in (ann, bob)
    }
    assert {(row.state, row.instructions, row.asked_by_id) for row in rows} == {
        ("open", "Short messages, please.", rey.pk)
    }
    assert all(row.messages == row.original.messages for row in rows)
    event = AuditEvent.objects.get(verb=AuditVerb.RESTRUCTURINGS_REQUESTED)
    assert (event.actor, event.subject) == (rey, f"corpus:{corpus.pk}")
    assert event.detail == {"restructurings": 4, "annotators": sorted([ann.pk, bob.pk])}
    # A double click, and one person more.
    again = browser.post(ASK, sent, follow=True).content.decode()
    assert "Nothing new: 4 had been asked for before" in again
    cat = setting.user("cat")
    more = browser.post(ASK, {**sent, "people": [ann.pk, cat.pk]}, follow=True).content.decode()
    assert "2 restructurings asked for. 2 had been asked for before" in more
    assert Restructuring.objects.count() == 6
    assert AuditEvent.objects.filter(verb=AuditVerb.RESTRUCTURINGS_REQUESTED).count() == 2


def test_what_was_taken_back_can_be_asked_for_again(rey: User) -> None:
    gamma = setting.corpus(1).dialogues.of_version("gamma")[0]
    ann = setting.user("ann")
    row = handed_in.asked(gamma, ann)
    review.take_back(restructuring=row, by=rey)
    assert seeds.ask(dialogues=[gamma.pk], people=[ann], instructions="", by=rey) == (1, 0)
    with pytest.raises(review.ReviewError, match="one copy is enough"):
        review.give_back(restructuring=row, by=rey)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"people": []}, "Choose at least one person."),
        ({"dialogues": ""}, "Some of these dialogues are gone."),
        ({"dialogues": "987654321"}, "Some of these dialogues are gone."),
        ({"dialogues": "x-' or 1=1"}, "Some of these dialogues are gone."),
        ({"people": [987654321]}, "Select a valid choice."),
    ],
)
def test_a_choice_that_is_wrong_is_explained_and_asks_nobody(
    browser: Client, changed: dict[str, object], problem: str
) -> None:
    gamma = setting.corpus(1).dialogues.of_version("gamma")[0]
    sent = {"dialogues": str(gamma.pk), "people": [setting.user("ann").pk], **changed}
    answer = browser.post(ASK, sent)
    assert answer.status_code == 422
    assert problem in answer.content.decode()
    assert not Restructuring.objects.exists()


def test_only_active_people_who_may_restructure_can_be_asked(rey: User) -> None:
    ann = setting.user("ann")
    gone = setting.user("gone")
    gone.is_active = False
    gone.save(update_fields=["is_active"])
    User.objects.create(username="nobody-yet")
    handed_in.asked(setting.corpus(1).dialogues.of_version("gamma")[0], ann)
    assert [(person.username, person.open_count) for person in seeds.annotators()] == [("ann", 1), ("rey", None)]


def test_nothing_chosen_leads_back_with_a_sentence(browser: Client) -> None:
    setting.corpus(1)
    page = browser.get(f"{ASK}?how=ticked&sort=-words&version=gamma", follow=True)
    assert page.redirect_chain == [(f"{CHOOSE}?sort=-words&version=gamma", 302)]
    assert "Nothing was chosen." in page.content.decode()


@pytest.mark.parametrize(
    "query", ["page=x", "n=-1&how=first", "seed=x&how=sample", "words_min=x", "run=9", "corpus=²", "sort=x"]
)
def test_addresses_that_make_no_sense_narrow_nothing(browser: Client, query: str) -> None:
    setting.corpus(1)
    assert browser.get(f"{CHOOSE}?{query}").status_code == 200
    assert browser.get(f"{ASK}?{query}", follow=True).status_code == 200


def test_an_empty_house_says_what_to_do_first(browser: Client) -> None:
    assert "Import a corpus" in browser.get(CHOOSE).content.decode()
    Corpus.objects.create(name="Empty")
    assert "Prepare a run" in browser.get(CHOOSE).content.decode()


def test_many_dialogues_page_in_a_handful_of_queries(browser: Client) -> None:
    corpus = Corpus.objects.create(name="Many")
    transcript = Transcript.of([[1, "hello there"], [2, "hi"], [2, "you"]])
    Dialogue.objects.bulk_create(
        Dialogue.from_transcript(transcript, corpus=corpus, key=f"g{number}", version_id="gamma")
        for number in range(3000)
    )
    browser.get(CHOOSE)
    with CaptureQueriesContext(
        connection,
    ) as few:
        assert browser.get(f"{CHOOSE}?sort=-score&longest_min=2&page=30").status_code == 200
    assert len(few) <= 14, [query["sql"][:120] for query in few.captured_queries]
    assert Endpoint.objects.count() == 0


def test_what_was_asked_is_said_in_a_sentence() -> None:
    assert said(seeds.Asked(1, 0)) == "1 restructuring asked for."
    assert (
        said(seeds.Asked(1200, 3))
        == "1,200 restructurings asked for. 3 had been asked for before and stay as they are."
    )

"""The first page: what each role finds there, and what it is told to do next."""

import pytest
from django.test import Client
from django.urls import reverse

from annotation.models import Assignment, Item, Membership, Rating, Study
from annotation.people.home import next_steps
from annotation.roles import Role
from dialogues.models import Corpus, Dialogue, Rubric
from generation.models import Endpoint, Run
from tests.dialogues.rows import add_dialogue
from tests.people import logged_in, make_user

pytestmark = pytest.mark.django_db


def make_study(name: str = "First study", state: str = Study.State.OPEN) -> Study:
    corpus, _ = Corpus.objects.get_or_create(name="Sample")
    rubric = Rubric.objects.get(slug="paper-six")
    return Study.objects.create(name=name, corpus=corpus, rubric=rubric, seed=1, state=state)


def make_dialogue(key: str) -> Dialogue:
    corpus, _ = Corpus.objects.get_or_create(name="Sample")
    return add_dialogue(corpus, key, [[1, "Hello."], [2, "Hi."]])


def rate(study: Study, membership: Membership, position: int) -> Rating:
    dialogue = make_dialogue(f"d{position}")
    item = Item.objects.create(study=study, dialogue=dialogue, background=dialogue, position=position)
    state = Assignment.State.SUBMITTED
    assignment = Assignment.objects.create(
        study=study, item=item, membership=membership, position=position, state=state
    )
    return Rating.objects.create(assignment=assignment)


def test_a_stranger_is_sent_to_log_in() -> None:
    response = Client().get("/")
    assert response.status_code == 302
    assert response.headers["Location"] == "/login/?next=/"


def test_a_raters_home_is_their_list_of_studies() -> None:
    response = logged_in(Role.RATER).get("/", follow=True)
    assert response.redirect_chain == [("/rate/", 302)]
    assert response.status_code == 200


def test_a_raters_page_names_no_version_and_leads_to_none_of_the_researchers_pages() -> None:
    page = logged_in(Role.RATER).get("/", follow=True).content.decode()
    for word in ("α", "β", "γ", "Further-split", "/corpora/", "/generation/", "/studies/", "/method/"):
        assert word not in page


def test_a_researcher_who_rates_too_finds_the_way_there() -> None:
    client = logged_in(Role.RESEARCHER)
    assert "You are a rater too" not in client.get("/").content.decode()
    Membership.objects.create(study=make_study(), rater_id=int(client.session["_auth_user_id"]), seed=1)
    assert "You are a rater too" in client.get("/").content.decode()


def test_a_researcher_is_led_from_an_empty_house_to_the_report_step_by_step() -> None:
    client = logged_in(Role.RESEARCHER)

    def heading() -> str:
        return client.get("/").content.decode().split("<h1>")[1].split("</h1>")[0]

    assert heading() == "Next: import a corpus"
    dialogue = make_dialogue("d1")
    assert heading() == "Next: add an endpoint"
    Endpoint.objects.create(name="Demo", base_url="http://127.0.0.1:1/v1", model="demo")
    assert heading() == "Next: load the examples"
    page = client.get(reverse("generation:example_sets")).content.decode()
    assert reverse("generation:load_examples") in page
    client.post(reverse("generation:load_examples"), {"next": "/"})
    assert heading() == "Next: start a run"
    Run.objects.create(name="Run 1", corpus=dialogue.corpus, stages=[], state=Run.State.FINISHED)
    assert heading() == "Next: set up a study"
    study = make_study()
    assert heading() == "Next: collect ratings"
    rate(study, Membership.objects.create(study=study, rater=make_user(Role.RATER), seed=1), 2)
    assert heading() == "Everything is in place"
    assert all(step.done for step in next_steps())


def test_a_researcher_sees_what_there_is_in_numbers() -> None:
    client = logged_in(Role.RESEARCHER)
    original = make_dialogue("d1")
    add_dialogue(original.corpus, "d1-beta", original.transcript, "beta", origin=original)
    counts = client.get("/").context["counts"]
    assert counts == {"corpora": 1, "originals": 1, "generated": 1, "ratings": 0}


def test_the_home_page_takes_as_many_queries_for_many_runs_as_for_one(django_assert_max_num_queries: object) -> None:
    client = logged_in(Role.RESEARCHER)
    corpus = make_dialogue("d1").corpus
    Endpoint.objects.create(name="Demo", base_url="http://127.0.0.1:1/v1", model="demo")
    for number in range(30):
        Run.objects.create(name=f"Run {number}", corpus=corpus, stages=[])
        make_study(f"Study {number}")
    with django_assert_max_num_queries(25):  # type: ignore[operator]
        assert client.get("/").status_code == 200


def test_names_from_people_are_text_on_the_home_page() -> None:
    client = logged_in(Role.RESEARCHER)
    make_study('<script>alert("x")</script>')
    page = client.get("/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page

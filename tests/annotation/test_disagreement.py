"""Where raters disagree, what is settled about it, and who sees which version meanwhile."""

import csv
import io
from typing import Any

import numpy as np
import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotation.models import Adjudication, Item, Rating, Study
from annotation.monitoring import adjudication, states
from annotation.monitoring.adjudication import AdjudicationError, StaleAdjudicationError
from annotation.monitoring.disagreement import spreads
from annotation.rating import membership_changes
from annotation.roles import Role
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from tests.annotation.rated_study import pair_study, rated_study
from tests.annotation.setting import user
from tests.people import client_of, logged_in


def test_spreads_are_ranges_and_deviations_of_items_with_two_raters() -> None:
    item = np.array([0, 0, 1, 1, 1, 2])
    rater = np.array([0, 1, 0, 1, 2, 0])
    metric = np.zeros(6, dtype=np.int64)
    value = np.array([1.0, 5.0, 3.0, 3.0, 4.0, 1.0])
    found = spreads(item, rater, metric, value, None)
    assert [(one.item, one.width, one.n) for one in found] == [(0, 4, 2), (1, 1, 3)]
    assert found[0].deviation == pytest.approx(np.std([1, 5], ddof=1))
    assert spreads(item, rater, metric, value, 1) == []


def test_over_several_metrics_the_widest_counts_and_deviations_are_averaged() -> None:
    item, rater = np.zeros(4, dtype=np.int64), np.array([0, 1, 0, 1])
    metric, value = np.array([0, 0, 1, 1]), np.array([1.0, 2.0, 1.0, 4.0])
    (one,) = spreads(item, rater, metric, value, None)
    assert (one.width, one.n) == (3, 2)
    assert one.deviation == pytest.approx((np.std([1, 2], ddof=1) + np.std([1, 4], ddof=1)) / 2)
    (only,) = spreads(item, rater, metric, value, 0)
    assert only.width == 1


def blind_study(**fields: Any) -> Study:
    study = rated_study(**{"backgrounds": 2, **fields})
    AuditEvent.objects.filter(verb=AuditVerb.STUDY_UNBLINDED, subject=f"study:{study.pk}").delete()
    return study


def names_a_version(text: str) -> bool:
    return any(word in text for word in ("badge--alpha", "badge--beta", "badge--gamma", "badge--stephanie"))


def pages(study: Study) -> list[str]:
    member = study.memberships.earliest("pk")
    return [
        reverse("study_disagreement", args=[study.pk]),
        reverse("study_disputed_item", args=[study.pk, 1]),
        reverse("study_rater", args=[study.pk, member.pk]),
    ]


@pytest.mark.django_db
def test_versions_are_hidden_until_somebody_unblinds_and_the_page_says_who() -> None:
    study, client = blind_study(), logged_in(Role.RESEARCHER, "rey")
    for page in pages(study):
        assert not names_a_version(client.get(page).content.decode()), page
    hidden = client.get(pages(study)[0] + "?version=gamma").context["page"].paginator.count
    client.post(reverse("study_manage", args=[study.pk, "unblind"]))
    client.post(reverse("study_manage", args=[study.pk, "unblind"]))
    for page in pages(study):
        assert names_a_version(client.get(page).content.decode()), page
    assert client.get(pages(study)[0] + "?version=gamma").context["page"].paginator.count < hidden
    assert "Unblinded by rey" in client.get(study.get_absolute_url()).content.decode()
    event = AuditEvent.objects.get(verb=AuditVerb.STUDY_UNBLINDED)
    assert (event.actor.username, event.detail["how"]) == ("rey", "on purpose")


@pytest.mark.django_db
def test_the_report_of_an_open_study_asks_once_and_its_files_wait_for_the_answer() -> None:
    study, client = blind_study(), logged_in(Role.RESEARCHER, "rey")
    report = reverse("study_report", args=[study.pk])
    asked = client.get(report).content.decode()
    assert "would unblind this study" in asked
    assert not names_a_version(asked)
    files = [
        reverse("study_table_csv", args=[study.pk, "table-3"]),
        reverse("study_table_tex", args=[study.pk, "table-3"]),
        reverse("study_figure", args=[study.pk, "means", "svg"]),
    ]
    assert {client.get(file).headers.get("Location") for file in files} == {report}
    answer = client.post(reverse("study_manage", args=[study.pk, "unblind"]), {"then": "report"})
    assert answer.headers["Location"] == report
    assert "Human evaluation" in client.get(report).content.decode()
    assert AuditEvent.objects.filter(verb=AuditVerb.STUDY_UNBLINDED).count() == 1


@pytest.mark.django_db
def test_taking_the_ratings_of_a_blind_study_waits_too() -> None:
    study, client = blind_study(), logged_in(Role.ADMIN, "rey")
    assert client.get(reverse("study_ratings_csv", args=[study.pk])).status_code == 302


@pytest.mark.django_db
def test_a_closed_studys_report_opens_at_once_and_is_recorded_and_a_simulated_one_is_never_blind() -> None:
    closed = blind_study(name="Closed")
    states.close(study=closed, by=None)
    client = logged_in(Role.RESEARCHER, "rey")
    assert "Human evaluation" in client.get(reverse("study_report", args=[closed.pk])).content.decode()
    assert AuditEvent.objects.get(verb=AuditVerb.STUDY_UNBLINDED).actor.username == "rey"
    simulated = blind_study(name="Rehearsal", simulated=True)
    assert names_a_version(client.get(reverse("study_disagreement", args=[simulated.pk])).content.decode())
    assert client.get(reverse("study_report", args=[simulated.pk])).context["found"].ratings
    assert AuditEvent.objects.filter(verb=AuditVerb.STUDY_UNBLINDED).count() == 1


@pytest.mark.django_db
def test_the_widest_disagreement_stands_first_and_an_excluded_rater_does_not_count() -> None:
    def score(rater: int, background: int, version: str, metric: str) -> int:
        return 5 if rater == 0 and background == 1 and version == "gamma" else 1 + (rater == 2)

    study, client = rated_study(backgrounds=2, score=score), logged_in(Role.RESEARCHER, "rey")
    page = client.get(reverse("study_disagreement", args=[study.pk]))
    first = page.context["rows"][0]
    assert (first.item.dialogue.version_id, first.spread.width, first.spread.n) == ("gamma", 4, 3)
    membership_changes.exclude(membership=study.memberships.earliest("pk"), reason="hasty", by=None)
    rows = client.get(reverse("study_disagreement", args=[study.pk])).context["rows"]
    assert {row.spread.width for row in rows} == {1}


def settled(study: Study, **fields: Any) -> Any:
    item = study.items.get(position=0)
    values = {"metric": "natural", "value": 3, "reason": "Both are right in part.", "seen": 0, **fields}
    return adjudication.settle(item=item, **values)


@pytest.mark.django_db
def test_a_settled_value_is_kept_apart_from_raw_scores_with_its_history() -> None:
    study, rey = rated_study(backgrounds=1), user("rey", "researcher")
    before = list(Rating.objects.values_list("pk", "is_current"))
    first = settled(study, by=rey)
    second = settled(study, by=rey, value=4, reason="On second thoughts.", seen=first.pk)
    history = next(one for one in adjudication.settled_metrics(study.items.get(position=0)) if one.history)
    assert history.history == (second, first)
    assert list(Rating.objects.values_list("pk", "is_current")) == before
    assert AuditEvent.objects.filter(verb=AuditVerb.RATING_ADJUDICATED, actor=rey).count() == 2


@pytest.mark.django_db
def test_pressed_twice_it_is_settled_once_and_a_colleague_who_was_faster_is_shown() -> None:
    study, rey, kim = rated_study(backgrounds=1), user("rey", "researcher"), user("kim", "researcher")
    first = settled(study, by=rey)
    assert settled(study, by=rey) == first
    with pytest.raises(StaleAdjudicationError):
        settled(study, by=kim, value=5, reason="Plainly good.")
    client = client_of(kim)
    form = {"metric": "natural", "seen": 0, "value": 5, "reason": "Plainly good."}
    page = client.post(reverse("study_disputed_item", args=[study.pk, 1]), form)
    assert page.status_code == 409
    assert "Plainly good." in page.content.decode()
    assert "Both are right in part." in page.content.decode()
    assert Adjudication.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fields",
    [{"metric": "nothing"}, {"value": 6}, {"value": 0}, {"reason": "  "}, {"reason": "x" * 2001}, {"reason": "a\x00"}],
)
def test_a_value_off_the_scale_or_without_a_reason_is_not_settled(fields: dict[str, Any]) -> None:
    with pytest.raises(AdjudicationError):
        settled(rated_study(backgrounds=1), by=user("rey", "researcher"), **fields)
    assert not Adjudication.objects.exists()


@pytest.mark.django_db
def test_the_csv_has_raw_and_settled_values_in_columns_of_their_own_and_keeps_a_blind_study_blind() -> None:
    study = blind_study(backgrounds=1, raters=2)
    settled(study, by=user("rey", "researcher"), reason="=HYPERLINK(1)")
    text = b"".join(logged_in(Role.ADMIN, "ada").get(reverse("study_disagreement_csv", args=[study.pk])))
    rows = list(csv.DictReader(io.StringIO(text.decode())))
    assert len(rows) == 4 * 2 * 6
    assert {row["versions"] for row in rows} == {"blind"}
    mine = [row for row in rows if row["item"] == "1" and row["metric"] == "natural"]
    assert {(row["adjudicated_value"], row["adjudication_reason"]) for row in mine} == {("3", "'=HYPERLINK(1)")}
    assert {row["adjudicated_value"] for row in rows if row not in mine} == {""}
    assert {row["rater"] for row in rows} == {f"R-{study.pk}-0", f"R-{study.pk}-1"}


@pytest.mark.django_db
def test_the_list_asks_few_queries_whatever_its_length(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    study, client = rated_study(backgrounds=20), logged_in(Role.RESEARCHER, "rey")
    with django_assert_max_num_queries(25):
        assert client.get(reverse("study_disagreement", args=[study.pk])).context["page"].paginator.count == 80


@pytest.mark.django_db
def test_a_preference_is_said_in_words() -> None:
    html = (
        logged_in(Role.RESEARCHER, "rey")
        .get(reverse("study_disputed_item", args=[pair_study().pk, 2]))
        .content.decode()
    )
    assert '<td class="num">first</td>' in html
    assert '<td class="num">-1</td>' not in html


@pytest.mark.django_db
def test_only_rated_items_have_such_a_page() -> None:
    study, client = rated_study(backgrounds=1), logged_in(Role.RESEARCHER, "rey")
    Item.objects.filter(study=study, position=0).update(purpose="gold")
    assert client.get(reverse("study_disputed_item", args=[study.pk, 1])).status_code == 404
    assert client.get(reverse("study_disputed_item", args=[study.pk, 0])).status_code == 404

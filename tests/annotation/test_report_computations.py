"""Reports that take longer than a page may: the page answers at once, and its files wait with it."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.bundles import loading as bundle_loading
from annotation.bundles import report_files
from annotation.bundles.data import Data, data_of
from annotation.models import Study
from annotation.rating import membership_changes
from annotation.reports import loading, preference_findings
from annotation.roles import Role
from annotation.tasks import compute_bundle, compute_preferences, compute_report
from core import computations
from core.models import Computation
from core.steps import Steps
from dialogues import corpus_figures
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from dialogues.tasks import compute_figures
from tests.annotation.rated_study import pair_study, rated_study
from tests.annotation.setting import study as blind_study
from tests.people import logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def every_result_takes_long(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(computations, "YOUNG", timedelta(0))
    monkeypatch.setattr(loading, "A_SCORE", 1.0)
    monkeypatch.setattr(bundle_loading, "A_SCORE", 1.0)
    monkeypatch.setattr(preference_findings, "A_SCORE", 1.0)
    monkeypatch.setattr(corpus_figures, "A_DIALOGUE", 1.0)
    caches["results"].clear()
    yield
    caches["results"].clear()


def page_of(study: Study) -> str:
    return reverse("study_report", args=[study.pk])


def files_of(study: Study) -> list[str]:
    return [
        reverse("study_table_csv", args=[study.pk, "comparisons"]),
        reverse("study_report_zip", args=[study.pk]),
        reverse("study_figure", args=[study.pk, "means", "svg"]),
    ]


def computation() -> Computation:
    return Computation.objects.latest("pk")


def test_a_large_report_answers_at_once_and_turns_into_the_report() -> None:
    study, client = rated_study(backgrounds=2), logged_in(Role.RESEARCHER)
    for address in (page_of(study), *files_of(study)):
        waiting = client.get(address)
        assert waiting.status_code == 202
        assert waiting["Retry-After"]
        assert "Waiting for a worker" in waiting.text
    assert Computation.objects.count() == 1
    asked_again = {"HX-Request": "true"}
    watched = reverse("computation", args=[computation().pk])
    assert "Waiting for a worker" in client.get(watched, headers=asked_again).text
    Computation.objects.update(asked_at=timezone.now() - timedelta(minutes=2))
    assert "or none is running" in client.get(watched, headers=asked_again).text
    compute_report(computation().pk)
    assert loads_once(client, watched)
    shown = client.get(page_of(study))
    assert shown.status_code == 200
    assert 'id="table-comparisons"' in shown.text
    assert [client.get(address).status_code for address in files_of(study)] == [200, 200, 200]


def loads_once(client: Client, watched: str) -> bool:
    """Whether a page that waits stops asking before it is loaded anew: a file does not replace it, and would come
    again and again."""
    asked_again = {"HX-Request": "true"}
    told = client.get(watched, headers=asked_again)
    stops = "HX-Refresh" not in told and "every 1s" not in told.text and 'hx-trigger="load"' in told.text
    return stops and client.get(f"{watched}?loads", headers=asked_again)["HX-Refresh"] == "true"


def test_the_ratings_themselves_wait_for_nothing() -> None:
    study = rated_study(backgrounds=1)
    assert logged_in(Role.RESEARCHER).get(reverse("study_ratings_csv", args=[study.pk])).status_code == 200


def test_after_a_change_the_page_shows_the_earlier_figures_as_earlier() -> None:
    study, client = rated_study(backgrounds=2), logged_in(Role.RESEARCHER)
    client.get(page_of(study))
    compute_report(computation().pk)
    assert "changed since" not in client.get(page_of(study)).text
    membership_changes.exclude(membership=study.memberships.earliest("pk"), reason="a reason", by=None)
    outdated = client.get(page_of(study))
    assert outdated.status_code == 200
    assert "data that have changed since" in outdated.text
    assert "24 ratings by 3 raters" in outdated.text
    assert "-as-of-" in client.get(files_of(study)[0])["Content-Disposition"]
    compute_report(computation().pk)
    current = client.get(page_of(study)).text
    assert "changed since" not in current
    assert "16 ratings by 2 raters" in current
    assert "-as-of-" not in client.get(files_of(study)[0])["Content-Disposition"]


def bundled(study: Study) -> str:
    # The numbers of a launch, for the methods text.
    numbers = {"items": 2, "backgrounds": 1, "complete": 1, "incomplete": 0, "set_aside": 0}
    Study.objects.filter(pk=study.pk).update(selection=numbers)
    return reverse("study_bundle", args=[study.pk])


def test_a_bundle_waits_for_its_data_and_takes_no_earlier_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_files, "rendered", lambda spec, form: (b"a figure", ""))
    study, client = rated_study(backgrounds=1, versions=("alpha", "beta")), logged_in(Role.RESEARCHER)
    bundle = bundled(study)
    assert "Waiting for a worker" in client.get(bundle).text
    compute_bundle(computation().pk)
    membership_changes.exclude(membership=study.memberships.earliest("pk"), reason="a reason", by=None)
    assert client.get(bundle).status_code == 202
    compute_bundle(computation().pk)
    with monkeypatch.context() as patch:
        patch.setattr(bundle_loading, "data_of", None)
        made = client.get(bundle)
    assert made.status_code == 200
    assert b"PK" in b"".join(made.streaming_content)
    assert AuditEvent.objects.filter(verb=AuditVerb.RATINGS_EXPORTED).count() == 1


def test_a_bundle_whose_data_change_all_the_time_says_so_and_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    study, client = rated_study(backgrounds=1, versions=("alpha", "beta")), logged_in(Role.RESEARCHER)
    bundle = bundled(study)
    client.get(bundle)
    with monkeypatch.context() as patch:
        keys = count()
        patch.setattr(bundle_loading, "_key", lambda study: f"bundle:{next(keys)}")
        compute_bundle(computation().pk)
    assert "Pause the study first." in client.get(bundle).text
    assert computations.again(computation())
    compute_bundle(computation().pk)
    assert client.get(bundle).status_code == 200


def test_a_bundle_that_could_be_read_only_later_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    study = rated_study(backgrounds=1, versions=("alpha", "beta"))
    reads: list[int] = []

    def read(study: Study, step: Steps) -> Data:
        found = data_of(study, step)
        if not reads:
            membership_changes.exclude(membership=study.memberships.earliest("pk"), reason="a reason", by=None)
        reads.append(len(found.raters))
        return found

    monkeypatch.setattr(bundle_loading, "data_of", read)
    material = bundle_loading.material_of(study)
    assert len(reads) == 2
    assert ",False,excluded," in dict(material.data.files())["data/raters.csv"]


def test_it_can_be_stopped_and_begun_anew_from_the_page() -> None:
    study, client = rated_study(backgrounds=1), logged_in(Role.RESEARCHER)
    client.get(page_of(study))
    back = {"next": page_of(study)}
    assert client.post(reverse("computation_stop", args=[computation().pk]), back).url == page_of(study)
    assert "The computation was stopped." in client.get(page_of(study)).text
    compute_report(computation().pk)
    assert "The computation was stopped." in client.get(page_of(study)).text
    assert client.post(reverse("computation_again", args=[computation().pk]), back).url == page_of(study)
    compute_report(computation().pk)
    assert client.get(page_of(study)).status_code == 200


def test_buttons_lead_to_no_other_site() -> None:
    study, client = rated_study(backgrounds=1), logged_in(Role.RESEARCHER)
    client.get(page_of(study))
    elsewhere = client.post(reverse("computation_stop", args=[computation().pk]), {"next": "//evil.example/"})
    assert elsewhere.url == reverse("home")
    watched = reverse("computation", args=[computation().pk]) + "?next=javascript:alert(1)"
    assert "javascript" not in client.get(watched, headers={"HX-Request": "true"}).text


def test_a_study_that_is_still_blind_is_not_computed() -> None:
    study = blind_study()
    assert logged_in(Role.RESEARCHER).get(page_of(study)).status_code == 200
    assert not Computation.objects.exists()


def test_a_study_of_pairs_waits_likewise() -> None:
    study, client = pair_study(), logged_in(Role.RESEARCHER)
    table = reverse("study_table_csv", args=[study.pk, "win-rates"])
    assert [client.get(address).status_code for address in (page_of(study), table)] == [202, 202]
    compute_preferences(computation().pk)
    assert [client.get(address).status_code for address in (page_of(study), table)] == [200, 200]


def test_a_command_computes_what_it_prints_and_pages_find_it(capsys: pytest.CaptureFixture[str]) -> None:
    study, client = rated_study(backgrounds=1), logged_in(Role.RESEARCHER)
    call_command("study_report", str(study.pk))
    assert "Human evaluation" in capsys.readouterr().out
    assert client.get(page_of(study)).status_code == 200
    assert not Computation.objects.exists()


def test_a_study_that_is_deleted_meanwhile_ends_its_computation() -> None:
    study = rated_study(backgrounds=1)
    logged_in(Role.RESEARCHER).get(page_of(study))
    Computation.objects.update(arguments={"study": 987654321})
    compute_report(computation().pk)
    assert computation().state == Computation.State.FAILED


def test_statistics_of_a_large_corpus_wait_likewise(researcher: Client) -> None:
    corpus = rated_study(backgrounds=2).corpus
    page = reverse("dialogues:statistics", args=[corpus.pk])
    query = "?tokens=words&backgrounds=shared&version=alpha&version=beta&writer=demo-model"
    addresses = [
        page + query,
        reverse("dialogues:statistics_table", args=[corpus.pk, "lengths", "csv"]) + query,
        reverse("dialogues:statistics_chart", args=[corpus.pk, "consecutive", "svg"]) + query,
    ]
    assert [researcher.get(address).status_code for address in addresses] == [202, 202, 202]
    compute_figures(computation().pk)
    assert [researcher.get(address).status_code for address in addresses] == [200, 200, 200]
    # Other questions are other results.
    assert researcher.get(page).status_code == 202

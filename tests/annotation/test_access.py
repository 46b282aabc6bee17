"""Who may open what: every address × everyone × every method, against the table below.

A new address without a row fails. The table names what each may do with an object that is not their own.
"""

import json
from contextlib import suppress
from dataclasses import dataclass

import pytest
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import NoReverseMatch, reverse

from annotation.roles import Role
from tests.annotation import setting
from tests.annotation.everything import Everything, url_names

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
# What a page is about where no row of a table could be missing.
OF_NO_ROW = ("", "upload", "power table", "agreement table")
# Sent to the log-in page; every other 302 leads elsewhere.
LOGIN = "log-in"
Outcome = int | str
# Stranger, rater, researcher, admin.
Outcomes = tuple[Outcome, Outcome, Outcome, Outcome]
READERS: tuple[Role | None, ...] = (None, *Role)


@dataclass(frozen=True)
class Row:
    get: Outcomes
    post: Outcomes
    of: str = ""


def refused(outcome: int) -> int:
    """What somebody without the right gets: the reason, unless nobody may use the method at all."""
    return 405 if outcome == 405 else 403


def staff(of: str = "", *, get: int = 200, post: int = 405) -> Row:
    """For researchers and admins."""
    return Row((LOGIN, refused(get), get, get), (LOGIN, refused(post), post, post), of)


def admins(of: str = "", *, get: int = 200, post: int = 405) -> Row:
    return Row((LOGIN, refused(get), refused(get), get), (LOGIN, refused(post), refused(post), post), of)


def members(*, get: int = 200, post: int = 405) -> Row:
    """For everyone with an account, about themselves."""
    return Row((LOGIN, get, get, get), (LOGIN, post, post, post))


def owner(of: str, *, get: int = 404, post: int = 405, stranger: Outcome = LOGIN) -> Row:
    """For one rater, who is none of these: to all others it does not exist."""
    return Row((stranger if get != 405 or stranger == LOGIN else 403, get, get, get), (stranger, post, post, post), of)


def chatter(*, get: int = 404, post: int = 405) -> Row:
    """For one researcher, who is none of these: to other researchers the chat does not exist."""
    return Row((LOGIN, refused(get), get, get), (LOGIN, refused(post), post, post), "chat")


def events(row: Row) -> Row:
    """A stream for a page's script: somebody without a session gets a status, never a log-in page."""
    return Row((403, *row.get[1:]), (405,) * 4, row.of)


def script(of: str = "", *, get: int = 200, post: int = 405) -> Row:
    """For everyone with an account; a script is told with 401 to send a token, never shown a log-in page."""
    return Row((401, get, get, get), (401, post, post, post), of)


def staff_script(of: str = "", *, get: int = 200, post: int = 405) -> Row:
    """The same for researchers and admins; a rater's script is refused with a reason."""
    return Row((401, refused(get), get, get), (401, refused(post), post, post), of)


TABLE = {
    "healthz": Row((200,) * 4, (405,) * 4),
    "computation": staff("computation", get=202),
    "computation_stop": staff("computation", get=405, post=302),
    "computation_again": staff("computation", get=405, post=302),
    "language": Row((405,) * 4, (302,) * 4),
    # A rater's home is their list of studies.
    "home": Row((LOGIN, 302, 200, 200), (LOGIN, 405, 405, 405)),
    "method": staff(),
    "login": Row((200, 302, 302, 302), (200, 302, 302, 302)),
    "logout": members(get=405, post=302),
    "password_change": members(post=200),
    "password_change_done": members(),
    "admin_password_change": members(get=302, post=405),
    "api_tokens": staff(post=422),
    # A token of somebody else does not exist, not even for an admin; this one is the admin's.
    "api_token_revoke": Row((LOGIN, 405, 405, 405), (LOGIN, 403, 404, 302), "API token"),
    "api_account": script(),
    "api:schema": script(),
    "api:corpora": staff_script(),
    "api:endpoints": staff_script(),
    "api:example_sets": staff_script(),
    "api:example_set": staff_script("example set"),
    "api:prompts": staff_script(),
    "api:runs": staff_script(post=400),
    "api:run": staff_script("run"),
    "api:run_preview": staff_script("run"),
    "api:run_estimate": staff_script("run"),
    "api:run_start": staff_script("run", get=405, post=200),
    "api:run_pause": staff_script("run", get=405, post=200),
    "api:run_budget": staff_script("run", get=405, post=200),
    # This run has started.
    "api:run_discard": staff_script("run", get=405, post=409),
    "api:run_decide": staff_script("run", get=405, post=400),
    "api:run_retry": staff_script("run", get=405, post=200),
    "api:run_reread": staff_script("run", get=405, post=200),
    # The run of this batch goes on.
    "api:batch_cancel": staff_script("run batch", get=405, post=409),
    "api:run_calls": staff_script("run"),
    "api:run_outputs": staff_script("run"),
    "api:run_judgements": staff_script("run"),
    "api:run_quality": staff_script("run"),
    "api:judge_runs": staff_script(get=405, post=400),
    # Without a corpus there is nothing to report, without runs nothing to compare.
    "api:judge_report": staff_script(get=400),
    "api:comparison": staff_script(get=400),
    "api:call": staff_script("call"),
    "api:training_runs": staff_script(post=400),
    "api:training_run": staff_script("training run"),
    # An object is no list of events.
    "api:training_run_events": staff_script("training run", get=405, post=400),
    "invitation": Row((200,) * 4, (422, 200, 200, 200), "invitation link"),
    # Opened, a good link moves its token from the address into the session.
    "password_reset": Row((302,) * 4, (302,) * 4, "reset link"),
    "people": admins(),
    "person": admins("person"),
    "person_role": admins("person", get=405, post=422),
    "person_deactivate": admins("person", get=405, post=302),
    "person_reactivate": admins("person", get=405, post=302),
    "person_reset": admins("person", get=405, post=200),
    "invite": staff(post=422),
    # A link that somebody else made does not exist for a researcher.
    "invitation_revoke": Row((LOGIN, 405, 405, 405), (LOGIN, 403, 404, 302), "invitation"),
    "study_invite": staff("study", post=422),
    "dialogues:corpora": staff(),
    "dialogues:import": staff(post=200),
    "dialogues:import_preview": staff("upload", get=404, post=404),
    "dialogues:delete_columns": staff("saved columns", post=302),
    "dialogues:import_job": staff("import"),
    "dialogues:import_stop": staff("import", get=405, post=302),
    "dialogues:corpus": staff("corpus"),
    "dialogues:export": staff("corpus"),
    "dialogues:baseline": staff("corpus", get=405, post=302),
    # This corpus is in a study, and what was rated stays.
    "dialogues:delete": admins("corpus", post=409),
    "dialogues:dialogue": staff("dialogue"),
    "dialogues:statistics": staff("corpus"),
    "dialogues:statistics_table": staff("corpus table"),
    "dialogues:statistics_chart": staff("corpus figure"),
    "dialogues:chart_script": staff(),
    "generation:endpoints": staff(),
    "generation:endpoint_new": staff(post=422),
    "generation:endpoint": staff("endpoint", post=422),
    "generation:endpoint_check": staff("endpoint", get=405, post=302),
    "generation:example_sets": staff(),
    "generation:load_examples": staff(get=405, post=302),
    "generation:example_set": staff("example set"),
    "generation:try_set": staff("example set", post=422),
    "generation:prompts": staff(),
    "generation:prompt": staff("prompt"),
    "generation:prompt_edit": staff("prompt", post=422),
    "generation:prompt_keep": staff("prompt", get=405, post=302),
    "generation:try_prompt": staff("prompt", post=422),
    "generation:trials": staff(),
    "generation:trial": staff("trial"),
    "generation:trial_start": staff("trial", get=405, post=302),
    "generation:trial_stop": staff("trial", get=405, post=302),
    # This trial has started.
    "generation:trial_discard": staff("trial", get=405, post=302),
    "generation:set_new": staff(post=422),
    "generation:set_import": staff(post=422),
    "generation:set_edit": staff("draft set", post=422),
    "generation:set_freeze": staff("draft set", post=302),
    "generation:set_clone": staff("example set", post=422),
    "generation:set_delete": staff("draft set", post=302),
    # This order holds none of the set's examples: both orders are shown.
    "generation:set_order": staff("draft set", get=405, post=409),
    "generation:set_balance": staff("example set"),
    "generation:set_compare": staff("draft set"),
    "generation:set_export": staff("example set"),
    "generation:example_new": staff("draft set", post=422),
    "generation:example_choose": staff("draft set"),
    "generation:example_take": staff("draft set dialogue", post=302),
    "generation:example_edit": staff("example", post=422),
    "generation:example_remove": staff("example", post=302),
    "generation:runs": staff(),
    "generation:run_new": staff(post=422),
    "generation:judge_new": staff(post=200),
    "generation:judgements": staff("corpus"),
    "generation:judgements_table": staff("judgement table"),
    "generation:run": staff("run"),
    "generation:run_start": staff("run", get=405, post=302),
    "generation:run_pause": staff("run", get=405, post=302),
    "generation:run_discard": staff("run", get=405, post=302),
    "generation:run_decide": staff("run", get=405, post=302),
    "generation:run_retry": staff("run", get=405, post=302),
    # Nothing has failed in this run.
    "generation:run_retry_edit": staff("run", post=422),
    "generation:run_reread": staff("run", post=302),
    "generation:run_budget": staff("run", get=405, post=302),
    "generation:run_baseline": staff("run", get=405, post=302),
    "generation:batch_cancel": staff("run batch", get=405, post=302),
    "generation:run_events": events(staff("run")),
    "generation:run_dialogues": staff("run"),
    "generation:run_dialogue": staff("run dialogue"),
    "generation:run_calls": staff("run"),
    "generation:run_quality": staff("run"),
    "generation:run_quality_table": staff("run table"),
    # Which runs are compared stands in the query: without them there is a page to choose from, and no table.
    "generation:training_files": staff("training set", post=302),
    "generation:training_export": staff("training export"),
    "generation:training_export_stop": staff("training export", get=405, post=302),
    # It is still being prepared.
    "generation:training_export_file": staff("training export", get=404),
    "generation:compare": staff(),
    "generation:compare_dialogues": staff(),
    "generation:compare_table": staff("comparison table", get=404),
    "generation:call": staff("call"),
    "generation:training_sets": staff(),
    # A post without a corpus asks which.
    "generation:training_set_new": staff(post=200),
    "generation:training_set": staff("training set"),
    "generation:training_set_stop": staff("training set", get=405, post=302),
    "generation:training_set_delete": staff("training set", post=302),
    "generation:training_runs": staff(),
    "generation:training_run_new": staff(post=422),
    "generation:training_run": staff("training run"),
    "generation:training_run_stop": staff("training run", get=405, post=302),
    "generation:training_run_upload": staff("training run", get=405, post=422),
    "generation:training_run_register": staff("training run", get=405, post=422),
    "generation:training_run_card": staff("training run"),
    "generation:training_run_table": staff("training run table"),
    "generation:training_run_figure": staff("training run figure"),
    "studies": staff(),
    "study_new": staff(post=422),
    "ratings_import": staff(post=422),
    "agreement": staff(post=422),
    "ratings_preview": staff("upload", get=404, post=404),
    "study": staff("study"),
    "study_step": staff("draft step", post=422),
    "study_preview": staff("draft"),
    "study_design": staff("study"),
    "study_design_json": staff("study"),
    "study_methods": staff("study"),
    "study_plan_json": staff("draft"),
    "study_plan_text": staff("draft plan"),
    "study_power": staff(),
    "study_power_table": staff("power table"),
    "study_power_keep": staff("draft", get=405, post=302),
    "study_next": staff("study", get=405, post=302),
    "study_check_choose": staff("draft"),
    "study_check_add": staff("draft dialogue", post=422),
    "study_check_edit": staff("check", post=422),
    "study_check_remove": staff("check", get=405, post=302),
    "rubrics": staff(),
    "rubric": staff("rubric"),
    "rubric_new": staff(post=422),
    "rubric_edit": staff("rubric", post=422),
    "rubric_clone": staff("rubric", get=405, post=302),
    "rubric_delete": staff("rubric", get=405, post=302),
    "study_launch": staff("draft", get=405, post=302),
    "study_manage": staff("managed study", post=302),
    "study_raters": staff("study"),
    "study_rater": staff("study rater"),
    # No reason is given.
    "rater_exclude": staff("study rater", get=405, post=422),
    "rater_reinstate": staff("study rater", get=405, post=302),
    "rater_replace": staff("study rater", get=405, post=302),
    "rater_return_link": staff("study guest", post=200),
    "study_disagreement": staff("study"),
    "study_disputed_item": staff("study item", post=422),
    "study_disagreement_csv": staff("study"),
    "study_chats": staff("study of chats"),
    "study_chat": staff("chat of a study"),
    "study_invite_list": staff("study", post=422),
    # Every field of the form may stay empty.
    "study_door": staff("study", post=302),
    "study_door_shut": staff("study", get=405, post=302),
    # No number of days is given.
    "study_remind": staff("study", post=422),
    # Open to whoever has its address; a form lets them in.
    "door": Row((200,) * 4, (302, 302, 403, 403), "door"),
    "door_return": Row((200,) * 4, (302,) * 4, "return link"),
    "study_member": staff("study", get=405, post=302),
    "study_balance": staff("study"),
    "study_balance_json": staff("study"),
    "study_report": staff("study"),
    "study_ratings_csv": staff("study"),
    "study_chats_jsonl": staff("study of chats"),
    "study_preferences_csv": staff("study of chats"),
    "study_table_csv": staff("study table"),
    "study_report_zip": staff("study"),
    "study_bundle": staff("study"),
    "study_table_tex": staff("study table"),
    "study_table_md": staff("study table"),
    "study_figure": staff("study figure"),
    "study_flow": staff("study flow"),
    "study_checklists": staff("study"),
    "study_checklists_file": staff("study checklists"),
    "restructuring_overview": staff(),
    "restructuring_seeds": staff(),
    # Without a choice there is nothing to ask for.
    "restructuring_ask": staff(get=302, post=422),
    "restructurings_export": staff(),
    "restructuring_agreement": staff(),
    "restructuring_agreement_table": staff("agreement table"),
    "restructurings_beside": staff("restructured dialogue"),
    "restructurings_beside_table": staff("pairs table"),
    "restructuring_review": staff("handed-in restructuring"),
    # The form names no text that was looked at.
    "restructuring_approve": staff("handed-in restructuring", get=405, post=409),
    "restructuring_send_back": staff("handed-in restructuring", get=405, post=422),
    "restructuring_remark": staff("handed-in restructuring", get=405, post=422),
    "restructuring_settle": staff("remark", get=405, post=302),
    "restructuring_example": staff("handed-in restructuring", get=405, post=422),
    "restructuring_take_back": staff("handed-in restructuring", get=405, post=302),
    "restructuring_give_back": staff("handed-in restructuring", get=405, post=302),
    "rate": members(),
    # After leaving a study, whichever it was.
    "rate_left": members(),
    "rate_next": owner("membership"),
    "rate_welcome": owner("membership", post=404),
    "rate_decline": owner("membership", get=405, post=404),
    "rate_practice": owner("membership", post=404),
    "rate_rated": owner("membership"),
    "rate_preference": owner("membership", post=404),
    "rate_break": owner("membership", get=405, post=404),
    "rate_withdraw": owner("membership", post=404),
    "rate_item": owner("item", post=404),
    "rate_chat": owner("item"),
    "rate_chat_finish": owner("item", get=405, post=404),
    "rate_feedback": owner("item"),
    "rate_undo": owner("item", get=405, post=404),
    "rate_skip": owner("item", get=405, post=404),
    # A script asks these two: it gets a reason and never a log-in page that would look like success.
    "rate_draft": owner("item", get=405, post=404, stranger=403),
    "rate_submit": owner("item", get=405, post=404, stranger=403),
    "chats": staff(),
    "chat_new": staff(post=422),
    "chat": chatter(),
    "chat_events": events(owner("chat")),
    "chat_say": owner("chat", get=405, post=404),
    "chat_download": chatter(),
    "chat_keep": chatter(post=404),
    "chat_delete": chatter(post=404),
    "chat_score": chatter(post=404),
    "chat_send": owner("chat", get=405, post=404, stranger=403),
    "chat_sign": owner("sign in a chat", get=405, post=404, stranger=403),
    # Another annotator's, which waits for nobody's review.
    "restructurings": members(),
    "restructuring": owner("restructuring", post=404),
    "restructuring_operations": owner("restructuring", get=405, post=404, stranger=403),
    "restructuring_proposals": owner("restructuring", stranger=403),
    "restructuring_ask_model": owner("restructuring", get=405, post=404),
    "restructuring_submit": owner("restructuring", get=405, post=404),
    "restructuring_reopen": owner("restructuring", get=405, post=404),
}
# Refused to strangers by a JSON answer, to members by their own page.
SCRIPTS = {
    "rate_draft", "rate_submit", "restructuring_operations", "restructuring_proposals", "chat_send", "chat_sign",
}  # fmt: skip
BODIES = {
    "rate_draft": {"version": 0, "scores": {}},
    "rate_submit": {"submission_id": "6f2a1c9e-8d5b-4a53-9c3e-0f6c1f0f4f11", "scores": setting.SCORES},
    "restructuring_operations": {"version": 0, "operations": []},
    "restructuring_proposals": {},
    "chat_send": {"text": "hi", "id": "1"},
    "chat_sign": {},
}


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    assert set(url_names()) == set(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_each_address_answers_everyone_as_declared(name: str, everything: Everything) -> None:
    row = TABLE[name]
    path = reverse(name, kwargs=everything.arguments(row.of))
    found = {"GET": answers(everything, "GET", name, path), "POST": answers(everything, "POST", name, path)}
    assert found == {"GET": row.get, "POST": row.post}


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.of not in OF_NO_ROW])
def test_what_does_not_exist_is_404_for_those_who_might_know_and_403_for_the_rest(
    name: str, everything: Everything
) -> None:
    row = TABLE[name]
    gone = {"pk": 987654321, "token": "nobody-has-this-token", "number": 987654321}
    arguments = {key: gone.get(key, value) for key, value in everything.arguments(row.of).items()}
    path = reverse(name, kwargs=arguments)
    # An open link refuses people who know the dialogues; an unknown link refuses everybody alike.
    stays = (401, 405, LOGIN) if name == "door" else (401, 403, 405, LOGIN)
    for method, declared in (("GET", row.get), ("POST", row.post)):
        found = answers(everything, method, name, path)
        expected = tuple(outcome if outcome in stays else 404 for outcome in declared)
        assert found == expected, method


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_no_address_takes_another_method(method: str, everything: Everything) -> None:
    # Django's own form views read a PUT like a POST; they change nothing without the form's fields.
    like_post = {"login", "password_change"}
    for name in TABLE.keys() - like_post:
        path = reverse(name, kwargs=everything.arguments(TABLE[name].of))
        for role in READERS:
            outcome = answer(everything, role, method, name, path)
            by_script = (outcome == 403 and name in SCRIPTS) or (outcome == 401 and role is None)
            assert outcome in (405, LOGIN) or by_script, (name, role, outcome)


def answers(everything: Everything, method: str, name: str, path: str) -> tuple[Outcome, ...]:
    return tuple(answer(everything, role, method, name, path) for role in READERS)


def answer(everything: Everything, role: Role | None, method: str, name: str, path: str) -> Outcome:
    """The outcome for one reader; what the request changed is undone."""
    client = everything.browser_of(role)
    with transaction.atomic():
        outcome = outcome_of(send(client, method, name, path))
        transaction.set_rollback(True)
    return outcome


def send(client: Client, method: str, name: str, path: str) -> HttpResponse:
    if method == "GET":
        return client.get(path)
    if name in SCRIPTS:
        return client.generic(method, path, json.dumps(BODIES[name]), content_type="application/json")
    if name.startswith("api:"):
        return client.generic(method, path, "{}", content_type="application/json")
    # A field that no form has: the form counts as sent, with everything missing.
    return client.generic(method, path, "unknown=1", content_type="application/x-www-form-urlencoded")


def outcome_of(response: HttpResponse) -> Outcome:
    if response.status_code == 302 and response.headers["Location"].startswith(f"{reverse(settings.LOGIN_URL)}?next="):
        return LOGIN
    if response.status_code == 403:
        assert_gives_a_reason(response)
    return response.status_code


def assert_gives_a_reason(response: HttpResponse) -> None:
    text = response.content.decode()
    if response.headers["Content-Type"].startswith("application/json"):
        assert "detail" in text
    else:
        # A role that may not, or a person who would not rate blind.
        assert "Your role cannot" in text or "You know this study’s dialogues" in text


# Every parameter that a page reads from its address.
PARAMETERS = (
    "page", "q", "sort", "set", "run", "runs", "prompt", "writer", "corpus", "version", "state", "by", "metric", "how",
)  # fmt: skip


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.of != "upload"])
def test_nul_breaks_no_address(name: str, everything: Everything) -> None:
    """PostgreSQL stores no such text, so every answer says what is wrong or finds nothing."""
    arguments = everything.arguments(TABLE[name].of)
    paths = [reverse(name, kwargs=arguments) + "?" + "&".join(f"{one}=a%00" for one in PARAMETERS)]
    for key, value in arguments.items():
        # The other kinds of parts hold only letters and digits.
        if isinstance(value, str):
            with suppress(NoReverseMatch):
                paths.append(reverse(name, kwargs={**arguments, key: "a\x00b"}))
    for path in paths:
        for role in READERS:
            outcome = answer(everything, role, "GET", name, path)
            assert outcome == LOGIN or int(outcome) < 500, (path, role)


def test_nul_in_a_form_breaks_nothing(everything: Everything) -> None:
    for name, field in (("rate_break", "item"), ("login", "username"), ("rate_welcome", "fingerprint")):
        path = reverse(name, kwargs=everything.arguments(TABLE[name].of))
        for role in READERS:
            with transaction.atomic():
                answer = everything.browser_of(role).post(path, {field: "a\x00b"})
                transaction.set_rollback(True)
            assert answer.status_code < 500, (name, role)

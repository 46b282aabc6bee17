"""Text from people and models stays text on every page, and every answer carries the policy that stops scripts."""

from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import User
from django.db import models, transaction
from django.urls import reverse

from annotation import triggers as rubric_triggers
from annotation.models import (
    Adjudication,
    ApiToken,
    Chat,
    ChatEvent,
    Invitation,
    Item,
    Membership,
    Profile,
    Rating,
    Remark,
    Restructuring,
    Score,
    Study,
)
from annotation.roles import Role
from dialogues.models import AuditEvent, Corpus, Dialogue, Rubric
from generation import triggers
from generation.models import Background, BatchJob, Call, Endpoint, Example, ExampleSet, Judgement, Run, RunStage, Trial
from tests.annotation.everything import Everything
from tests.annotation.test_access import TABLE

# What becomes markup is decided after the rows were read.
pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
PAYLOADS = (
    "<script>x()</script>",
    '"><img src=x onerror=x()>',
    "' autofocus onfocus=x() '",
    "</textarea></title><svg onload=x()>",
    "<a href=javascript:x()>",
    "--><iframe src=//evil.example>",
    "{{ 7|add:7 }}{% debug %}",
)
# Texts that people, files and models write, by model; `#` fields must differ from row to row.
WRITTEN: dict[type[models.Model], tuple[str, ...]] = {
    User: ("username#", "email", "first_name", "last_name"),
    Profile: ("pseudonym#",),
    Invitation: ("email", "pseudonym"),
    Membership: ("exclusion_reason",),
    Adjudication: ("reason",),
    Corpus: ("name#", "description", "licence", "file_name"),
    Dialogue: ("key#", "messages", "traits_1", "traits_2", "theme", "written_by"),
    Endpoint: ("name#", "model", "check_result"),
    ExampleSet: ("name#", "note"),
    Example: ("topic", "theme", "messages", "note", "traits_1", "traits_2"),
    Run: ("name", "state_reason"),
    RunStage: ("model",),
    BatchJob: ("provider_id", "provider_status", "problem"),
    Call: ("raw_reply", "reply_model", "error", "finish_reason"),
    Judgement: ("reason",),
    Trial: ("why_alone",),
    ApiToken: ("name#",),
    Background: ("theme",),
    Rubric: ("name",),
    Study: (
        "name#",
        "public_name",
        "guidelines",
        "consent_text",
        "approval_number",
        "retention",
        "recruitment",
        "pay_note",
        "completion_code",
        "screen_out_code",
    ),
    Item: ("theme", "traits_1", "traits_2", "note"),
    Rating: ("comment", "flag"),
    Score: ("comment",),
    Restructuring: ("instructions", "review", "messages"),
    Remark: ("quote", "text"),
    Chat: ("title",),
    ChatEvent: ("text",),
    AuditEvent: ("verb",),
}
VOID_OF_PAGES = {"healthz", "generation:run_events", "dialogues:chart_script"}


class Danger(HTMLParser):
    """What a page would run: inline scripts and handlers, script addresses, foreign frames and images."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.in_script = tag == "script" and "src" not in given and given.get("type") != "application/json"
        handlers = [name for name in given if name.startswith("on") or name in ("style", "srcdoc", "autofocus")]
        addresses = [str(given.get(name)) for name in ("href", "src", "action", "formaction")]
        if tag in ("iframe", "object", "embed", "base"):
            self.found.append(tag)
        if [name for name in handlers if not (name == "autofocus" and tag == "input")]:
            self.found.append(f"{tag} {handlers}")
        self.found += [text for text in addresses if text.startswith(("javascript:", "//", "x", "http"))]

    def handle_data(self, data: str) -> None:
        if self.in_script and data.strip():
            self.found.append(f"inline script {data[:60]}")

    def handle_endtag(self, tag: str) -> None:
        self.in_script = False


def poison(payload: str) -> None:
    """Put the payload wherever somebody outside could have written something, in what is frozen now even."""
    with triggers.TRIGGERS.lifted(), rubric_triggers.TRIGGERS.lifted():
        for model, names in WRITTEN.items():
            for row in model._default_manager.all():
                fields = [name.removesuffix("#") for name in names]
                for name in names:
                    write(row, name.removesuffix("#"), f"{row.pk}{payload}" if name.endswith("#") else payload)
                model._default_manager.filter(pk=row.pk).update(**{name: getattr(row, name) for name in fields})


def write(row: models.Model, name: str, text: str) -> None:
    field = row._meta.get_field(name)
    if name == "messages":
        setattr(row, name, [[speaker, f"{text}{place}"] for place, (speaker, _) in enumerate(getattr(row, name))])
    elif isinstance(field, models.JSONField):
        setattr(row, name, [text])
    else:
        setattr(row, name, text[: getattr(field, "max_length", None)])


def pages(everything: Everything, role: Role | None) -> Iterator[tuple[str, str]]:
    """Every HTML page that this reader gets, by address."""
    for name, row in TABLE.items():
        if name in VOID_OF_PAGES or 405 in row.get:
            continue
        path = reverse(name, kwargs=everything.arguments(row.of))
        response = everything.browser_of(role).get(path)
        if response.headers["Content-Type"].startswith("text/html") and response.status_code != 302:
            yield path, response.content.decode()


def owners_pages(everything: Everything) -> Iterator[tuple[str, str]]:
    rater, annotator = everything.membership.rater, everything.restructuring.annotator
    pages_of = [
        (rater, "rate", ""), (rater, "rate_next", "membership"), (rater, "rate_item", "item"),
        (rater, "rate_welcome", "membership"), (rater, "rate_rated", "membership"),
        (rater, "rate_withdraw", "membership"),
        (annotator, "restructurings", ""), (annotator, "restructuring", "restructuring"),
    ]  # fmt: skip
    for person, name, of in pages_of:
        client = everything.browser_of(None)
        client.force_login(person)
        path = reverse(name, kwargs=everything.arguments(of))
        yield path, client.get(path, follow=True).content.decode()


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_that_somebody_wrote_becomes_markup_on_any_page(payload: str, everything: Everything) -> None:
    with transaction.atomic():
        poison(payload)
        looked_at = [*pages(everything, None), *pages(everything, Role.ADMIN), *owners_pages(everything)]
        transaction.set_rollback(True)
    shown = 0
    for path, text in looked_at:
        danger = Danger()
        danger.feed(text)
        assert not danger.found, (path, danger.found)
        shown += escaped(payload) in text
    assert len(looked_at) > 30
    # The test would prove nothing if the payload were not on the pages at all.
    assert shown > 20


def escaped(payload: str) -> str:
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#x27;")):
        payload = payload.replace(character, entity)
    return payload


def test_every_answer_carries_a_policy_without_unsafe_words(everything: Everything) -> None:
    for name, row in TABLE.items():
        path = reverse(name, kwargs=everything.arguments(row.of))
        for role in (None, *Role):
            policy = everything.browser_of(role).get(path).headers.get("Content-Security-Policy", "")
            assert_strict(policy, path)


@pytest.mark.parametrize("path", ["/no/such/page/", "/admin/", "/admin/login/", "/admin/auth/user/"])
def test_error_pages_and_the_admin_site_carry_the_policy_too(path: str, everything: Everything) -> None:
    User.objects.filter(username="some-admin").update(is_superuser=True, is_staff=True)
    for role in (None, Role.ADMIN):
        assert_strict(everything.browser_of(role).get(path).headers.get("Content-Security-Policy", ""), path)


def assert_strict(policy: str, path: str) -> None:
    directives = {name: words for name, *words in (part.split() for part in policy.split(";") if part.strip())}
    assert directives.keys() >= {"default-src", "script-src", "style-src", "object-src", "base-uri"}, path
    assert directives["object-src"] == directives["frame-ancestors"] == ["'none'"], path
    for words in directives.values():
        assert not {word for word in words if "unsafe" in word or word in ("*", "http:", "https:")}, (path, words)
    # No page has an inline script or style, so no answer needs a nonce; one that has would name it here.
    for name in ("script-src", "style-src", "default-src"):
        assert all(word == "'self'" or word.startswith("'nonce-") for word in directives[name]), (path, name)

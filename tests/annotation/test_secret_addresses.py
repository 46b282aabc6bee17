"""A link that lets people in stands in no log line, referrer, error page or row but its own."""

import http.client
import io
import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from annotation.people import invitations, resets
from annotation.people.secret_addresses import SECRET, without_secrets
from annotation.recruitment import open_links
from annotation.roles import Role
from tests.annotation.everything import url_names
from tests.annotation.setting import corpus, study, user
from tests.browser.server import running_server
from tests.people import make_user

TOO_SHORT = {"username": "newcomer", "password1": "short", "password2": "short"}
KINDS = ("invitation", "door", "return", "reset")


class Everything(logging.Handler):
    """Hears every record of the process and writes it as a log file would."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s %(args)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def heard() -> Iterator[Everything]:
    handler, root = Everything(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.setLevel(before)
    root.removeHandler(handler)


def secrets() -> dict[str, str]:
    """A link of every kind that lets somebody in."""
    (token,) = invitations.issue(role=Role.RATER, by=None)
    one = study(of=corpus(1))
    open_links.set_open_link(
        study=one, limit=None, completion_code="", screen_out_code="", by=user("opener", "researcher")
    )
    one.refresh_from_db()
    guest = open_links.enter(study=one, recruit=open_links.Recruit())
    admin = User.objects.create_superuser("owner")
    return {
        "invitation": reverse("invitation", args=[token]),
        "door": reverse("door", args=[one.door_token]),
        "return": reverse("door_return", args=[open_links.return_token(guest)]),
        "reset": resets.issue(person=make_user(Role.RATER, "forgetful"), by=admin),
    }


def canary(path: str) -> str:
    """The secret itself, without the words around it."""
    return path.strip("/").split("/")[-1]


def tried(path: str) -> list[Any]:
    """What a person and a mistake may do with a link; nothing of it uses the link up."""
    open_to_all = Client(raise_request_exception=False)
    strict = Client(enforce_csrf_checks=True)
    return [
        open_to_all.get(path),
        open_to_all.get(path[:-1]),
        open_to_all.get(path[:-1] + "x/"),
        open_to_all.put(path),
        strict.post(path, TOO_SHORT),
        strict.post("/login/", {}, headers={"referer": f"https://testserver{path}"}, secure=True),
        open_to_all.get("/no/such/page/", {"next": path}),
        open_to_all.post("/login/", {"username": "x", "password": "y", "next": path}),
        open_to_all.get(f"/login/?next={quote(path, safe='')}"),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_no_log_line_holds_the_secret_whatever_goes_wrong(kind: str, heard: Everything, monkeypatch: Any) -> None:
    path = secrets()[kind]
    answers = tried(path)
    if kind == "invitation":
        answers.append(Client().post(path, TOO_SHORT))
        assert answers[-1].status_code == 422
    monkeypatch.setattr("django.contrib.auth.get_user", lambda request: 1 / 0)
    answers.append(Client(raise_request_exception=False).get(path))
    said = "\n".join(heard.lines)
    assert {403, 404, 405} <= {answer.status_code for answer in answers}
    assert all(words in said for words in ("Forbidden", "Method Not Allowed", "ZeroDivisionError"))
    assert canary(path) not in said
    assert "[secret]" in said
    refused = [answer for answer in answers if answer.status_code in (403, 404)]
    assert not [answer.request["PATH_INFO"] for answer in refused if canary(path) in answer.text]
    assert all(int(answer.get("Content-Length", len(answer.content))) == len(answer.content) for answer in refused)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_every_answer_tells_the_browser_to_keep_the_address_to_itself(kind: str) -> None:
    path = secrets()[kind]
    strict = Client(enforce_csrf_checks=True)
    refused = strict.post(path, TOO_SHORT)
    for answer in (strict.get(path), strict.put(path), refused, strict.get(path[:-1] + "x/")):
        assert answer["Referrer-Policy"] == "strict-origin"
    assert refused.status_code == 403
    assert Client().get("/login/")["Referrer-Policy"] == "same-origin"


@pytest.mark.django_db
def test_no_row_but_that_of_the_open_link_holds_a_secret() -> None:
    made = secrets()
    for kind, path in made.items():
        Client().get(path)
        tried(path)
        if kind != "door":
            Client().post(path, TOO_SHORT)
    out = io.StringIO()
    call_command("dumpdata", exclude=["annotation.study", "sessions.session"], stdout=out)
    found = [kind for kind, path in made.items() if canary(path) in out.getvalue()]
    assert found == []


def test_every_address_that_asks_for_no_account_but_holds_a_token_is_known_here() -> None:
    asked = {
        name: ["x" * 20, "y" * 20][: 2 if name == "password_reset" else 1] for name in url_names() if name in NAMES
    }
    assert set(asked) == NAMES
    for name, arguments in asked.items():
        assert "x" * 20 not in without_secrets(reverse(name, args=arguments))


NAMES = {"invitation", "door", "door_return", "password_reset"}


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Not Found: /invitation/abc-_1/", "Not Found: /invitation/[secret]"),
        ('"POST /door/return/a:b_c/?x=1 HTTP/1.1" 403', '"POST /door/[secret] HTTP/1.1" 403'),
        ("https://s.example:8000/account/reset/MQ/x-y/ gone", "https://s.example:8000/account/reset/[secret] gone"),
        ("/login/?next=%2Finvitation%2Fabc%2F", "/login/?next=%2Finvitation%2F[secret]"),
        ("/login/?next=%2faccount%2freset%2fMQ%2fx", "/login/?next=%2faccount%2freset%2f[secret]"),
        ("{'path': '/door/abc/'}", "{'path': '/door/[secret]'}"),
        ("/people/invitations/5/revoke/ and /studies/3/door/", "/people/invitations/5/revoke/ and /studies/3/door/"),
        ("no address at all", "no address at all"),
    ],
)
def test_what_is_taken_out_and_what_stays(text: str, cleaned: str) -> None:
    assert without_secrets(text) == cleaned
    assert without_secrets(cleaned) == cleaned or SECRET.search(cleaned)


def test_the_record_is_clean_in_its_words_its_arguments_and_its_traceback() -> None:
    logger, lines = logging.getLogger("tests.secrets"), Everything()
    logger.addHandler(lines)
    logger.setLevel(logging.DEBUG)
    try:
        raise LookupError("/invitation/canary-1/")
    except LookupError:
        logger.exception("/door/canary-2/ %s %d", "/door/return/canary-3/", 7)
    logger.warning("%(path)s", {"path": "/account/reset/MQ/canary-4/"})
    logger.warning("%s", LookupError("/invitation/canary-5/"))
    logger.removeHandler(lines)
    said = "\n".join(lines.lines[:2]) + lines.lines[2].split("(")[0]
    assert "canary" not in said
    assert "LookupError: /invitation/[secret]" in said


@pytest.mark.django_db(transaction=True)
def test_the_server_process_writes_no_secret_even_with_its_access_log_on() -> None:
    made = secrets()
    with running_server(options=("--access-log", "--log-level=debug")) as served:
        for path in made.values():
            for method, target in (
                ("GET", path),
                ("POST", path),
                ("PUT", path),
                ("GET", f"/login/?next={quote(path)}"),
            ):
                answer = asked(served.url, method, target)
                assert answer < 500
        log = served.log.read_text()
    assert re.search(r'"POST /door/\[secret\] HTTP/1.1" 403', log), "the access log was on"
    assert [kind for kind, path in made.items() if canary(path) in log] == []


def asked(url: str, method: str, target: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request(method, target)
        return connection.getresponse().status
    finally:
        connection.close()

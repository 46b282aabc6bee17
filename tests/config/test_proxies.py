"""Where a request comes from: a proxy is believed only where it is named."""

import http.client
from urllib.parse import urlsplit

import pytest

from annotation.models import PasswordTries
from annotation.people.password_tries import MOST, _places
from annotation.roles import Role
from config import processes
from tests.browser.server import running_server
from tests.people import make_user


def options(monkeypatch: pytest.MonkeyPatch, proxies: str | None) -> list[str]:
    if proxies is None:
        monkeypatch.delenv("TRUSTED_PROXIES", raising=False)
    else:
        monkeypatch.setenv("TRUSTED_PROXIES", proxies)
    return processes.web("127.0.0.1", 8000)


@pytest.mark.parametrize("proxies", [None, ""])
def test_unless_one_is_named_no_proxy_is_believed_not_even_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, proxies: str | None
) -> None:
    found = options(monkeypatch, proxies)
    assert "--no-proxy-headers" in found
    assert not [option for option in found if "forwarded" in option]


def test_a_named_proxy_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = options(monkeypatch, "10.0.0.0/8,192.168.0.7")
    assert "--forwarded-allow-ips=10.0.0.0/8,192.168.0.7" in found
    assert "--no-proxy-headers" not in found


def guess(server: str, claimed: str) -> int:
    asked = http.client.HTTPConnection(server, timeout=60)
    token = "a" * 32
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": f"csrftoken={token}",
        "X-Forwarded-For": claimed,
    }
    try:
        asked.request("POST", "/login/", f"username=ann&password=wrong&csrfmiddlewaretoken={token}", headers)
        return asked.getresponse().status
    finally:
        asked.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("option", "last"),
    [("--no-proxy-headers", 429), ("--forwarded-allow-ips=127.0.0.0/8", 200)],
    ids=["nobody is believed", "this machine is believed"],
)
def test_the_server_takes_the_proxys_word_only_where_it_is_named(option: str, last: int) -> None:
    """Ann has logged in from 10.1.1.1; a guesser has used up the strangers' tries, and now claims to be there."""
    make_user(Role.RATER, "ann")

    class Request:
        META = {"REMOTE_ADDR": "10.1.1.1"}

    (place,) = _places(Request, "")  # type: ignore[arg-type]
    now = "2026-01-01T00:00Z"
    PasswordTries.objects.create(username="ann", place=place, last_at=now)
    with running_server(options=("--no-access-log", option)) as served:
        server = urlsplit(served.url).netloc
        statuses = [guess(server, f"10.7.7.{number}") for number in range(MOST)]
        assert statuses == [200] * (MOST - 1) + [429]
        assert guess(server, "10.1.1.1") == last
        # What a client wrote into the header itself is left of what the proxy adds.
        assert guess(server, "10.1.1.1, 10.7.7.7") == 429

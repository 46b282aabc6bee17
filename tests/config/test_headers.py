"""What every page tells the browser to refuse."""

import pytest
from django.test import Client

from config.headers import UNUSED


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/login/", "/no/such/page/", "/admin/login/", "/api/account/", "/healthz"])
def test_no_page_may_ask_for_the_machines_devices(path: str) -> None:
    policy = Client().get(path)["Permissions-Policy"]
    assert policy.split(", ") == [f"{feature}=()" for feature in UNUSED]
    assert {"camera", "microphone", "geolocation"} <= set(UNUSED)

"""What every page tells the browser to refuse."""

import pytest
from django.test import Client

from config.middleware import UNUSED_FEATURES


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/login/", "/no/such/page/", "/admin/login/", "/api/account/", "/healthz"])
def test_no_page_may_ask_for_the_machines_devices(path: str) -> None:
    policy = Client().get(path)["Permissions-Policy"]
    assert policy.split(", ") == [f"{feature}=()" for feature in UNUSED_FEATURES]
    assert {"camera", "microphone", "geolocation"} <= set(UNUSED_FEATURES)

"""The containers of a team's server can do no more than they need."""

from pathlib import Path
from typing import Any

import pytest
import yaml

SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "docker" / "compose.yaml").read_text()
)["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_no_rights_to_spare(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert "privileged" not in service


@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_the_images_of_others_do_not_start_as_root(name: str) -> None:
    # Ours names its user in the Dockerfile.
    assert SERVICES[name]["user"] == name


def test_the_port_that_trusts_a_proxy_is_open_to_this_machine_alone() -> None:
    assert SERVICES["web"]["environment"]["TRUSTED_PROXIES"]
    assert SERVICES["web"]["ports"] == ["127.0.0.1:8000:8000"]
    assert [name for name in SERVICES if "ports" in SERVICES[name]] == ["web"]

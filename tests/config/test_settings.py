"""Settings are documented, and nothing starts on a default secret."""

import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from config.celery import app

ROOT = Path(__file__).resolve().parents[2]
READ_FROM_ENVIRONMENT = re.compile(r'(?:env\.\w+|environ\.get)\(\s*"([A-Z_]+)"')


def settings_read() -> set[str]:
    files = [ROOT / "config" / name for name in ("environment.py", "settings.py", "processes.py")]
    return {name for file in files for name in READ_FROM_ENVIRONMENT.findall(file.read_text())}


@pytest.mark.parametrize("name", sorted(settings_read()))
def test_every_setting_is_in_the_readme_table_and_the_example_file(name):
    assert f"| `{name}` |" in (ROOT / "README.md").read_text()
    assert re.search(rf"^#?{name}=", (ROOT / ".env.example").read_text(), re.M)


def test_every_documented_setting_is_read():
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "README.md").read_text(), re.M))
    assert documented - settings_read() == {"POSTGRES_PASSWORD"}  # read by docker/compose.yaml


def manage(*arguments, **environment):
    kept = {name: os.environ[name] for name in ("PATH", "DATA_DIR", "ENV_FILE") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=kept | environment, capture_output=True, text=True
    )


def test_it_refuses_to_start_without_a_secret_key_and_says_what_to_do():
    done = manage("check")
    assert done.returncode != 0
    assert "make secrets" in done.stderr


def test_the_deployment_check_is_clean():
    key = "k7" * 30 + "!?xyzUVW"
    done = manage("check", "--deploy", "--fail-level", "WARNING", SECRET_KEY=key)
    assert done.returncode == 0, done.stderr


@pytest.mark.django_db
def test_no_migration_is_pending():
    done = manage("makemigrations", "--check", "--dry-run", SECRET_KEY=secrets.token_urlsafe(48))
    assert done.returncode == 0, done.stdout


@pytest.mark.django_db
def test_a_fresh_installation_has_no_account(django_user_model):
    assert not django_user_model.objects.exists()


def test_what_the_timer_asks_for_is_there():
    app.loader.import_default_modules()
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)

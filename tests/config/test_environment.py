"""Commands find their settings: in the environment, in `.env`, in what `make start` kept, or in the demo's folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config import environment
from config.new_secrets import fresh
from demo import environment as demo_environment

ROOT = Path(__file__).resolve().parents[2]
SHOW = "from django.conf import settings as s; print(s.SECRET_KEY, s.DATA_DIR, s.MAX_UPLOAD_MB, s.DEMO, sep='|')"


@pytest.fixture
def manage(tmp_path):
    """Run `manage.py` as somebody does who exported nothing but what the test says."""

    def run(*arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        kept = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path / "data"), "ENV_FILE": ""}
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=kept | more, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def clean_environment(monkeypatch, tmp_path):
    """This process's environment, put back afterwards, with DATA_DIR in `tmp_path` and no secret."""
    kept = dict(os.environ)
    os.environ.update(DATA_DIR=str(tmp_path), ENV_FILE="")
    for name in fresh():
        os.environ.pop(name, None)
    yield
    os.environ.clear()
    os.environ.update(kept)


def shown(done: "subprocess.CompletedProcess[str]") -> list[str]:
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split("|")


def test_a_command_reads_the_env_file(manage, tmp_path):
    secret = fresh()["SECRET_KEY"]
    (tmp_path / "named.env").write_text(f"SECRET_KEY={secret}\nMAX_UPLOAD_MB=7\nEMAIL_URL=\n")
    found = shown(manage("shell", "--no-imports", "-c", SHOW, ENV_FILE=str(tmp_path / "named.env")))
    assert found == [secret, str(tmp_path / "data"), "7", "False"]


def test_what_the_environment_says_wins_over_the_file(manage, tmp_path):
    (tmp_path / "named.env").write_text(f"SECRET_KEY={fresh()['SECRET_KEY']}\nMAX_UPLOAD_MB=7\n")
    found = shown(manage("shell", "--no-imports", "-c", SHOW, ENV_FILE=str(tmp_path / "named.env"), MAX_UPLOAD_MB="9"))
    assert found[2] == "9"


def test_a_command_finds_the_secrets_that_the_first_start_kept(manage, tmp_path):
    (tmp_path / "data").mkdir()
    secret = fresh()["SECRET_KEY"]
    (tmp_path / "data" / environment.SECRETS_FILE).write_text(f"SECRET_KEY={secret}\n")
    assert shown(manage("shell", "--no-imports", "-c", SHOW))[0] == secret


def test_an_empty_line_in_the_env_file_does_not_hide_a_kept_secret(manage, tmp_path):
    (tmp_path / "data").mkdir()
    secret = fresh()["SECRET_KEY"]
    (tmp_path / "data" / environment.SECRETS_FILE).write_text(f"SECRET_KEY={secret}\n")
    (tmp_path / "copied.env").write_text("SECRET_KEY=\n")
    assert shown(manage("shell", "--no-imports", "-c", SHOW, ENV_FILE=str(tmp_path / "copied.env")))[0] == secret


@pytest.mark.usefixtures("clean_environment")
def test_secrets_are_made_once_and_for_their_owner_alone(tmp_path):
    environment.keep_secrets()
    made = {name: os.environ.pop(name) for name in fresh()}
    path = tmp_path / environment.SECRETS_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_text()
    environment.load()
    environment.keep_secrets()
    assert {name: os.environ[name] for name in made} == made
    assert path.read_text() == before


@pytest.mark.usefixtures("clean_environment")
def test_a_secret_that_somebody_set_is_not_made_again(tmp_path):
    os.environ["SECRET_KEY"] = "set by somebody"
    environment.keep_secrets()
    kept = (tmp_path / environment.SECRETS_FILE).read_text()
    assert "SECRET_KEY" not in kept
    assert "FIELD_ENCRYPTION_KEYS=" in kept


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("SECRET_KEY", "", "SECRET_KEY is not set"),
        ("SECRET_KEY", "short", "too easy to guess"),
        ("SECRET_KEY", "ab" * 40, "too easy to guess"),
        ("SECRET_KEY", "django-insecure-" + "k7!xyzUVW" * 6, "too easy to guess"),
        ("MAX_UPLOAD_MB", "many", "MAX_UPLOAD_MB"),
        ("DATABASE_URL", "somewhere://else", "DATABASE_URL"),
        ("ENV_FILE", "/nowhere/.env", "/nowhere/.env, which is not a file"),
    ],
)
def test_a_bad_setting_is_one_sentence_and_exit_code_2(manage, setting, value, said):
    done = manage("check", **({"SECRET_KEY": fresh()["SECRET_KEY"]} | {setting: value}))
    assert done.returncode == environment.BAD_SETTING
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_no_process_starts_without_its_settings(name, tmp_path):
    bare = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "ENV_FILE": ""}
    command = [sys.executable, "-m", "config.processes", name]
    done = subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == environment.BAD_SETTING
    assert done.stderr.startswith("stephanie: SECRET_KEY is not set")


def test_a_port_that_is_no_number_is_named(tmp_path):
    bare = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "ENV_FILE": "", "PORT": "http"} | fresh()
    command = [sys.executable, "-m", "config.processes", "web"]
    done = subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == environment.BAD_SETTING
    assert "PORT" in done.stderr


@pytest.mark.usefixtures("clean_environment")
def test_one_flag_runs_a_command_on_the_demo(tmp_path):
    made = demo_environment.prepare(tmp_path / "demo")
    demo_environment.apply_or_exit(tmp_path / "demo")
    assert os.environ["SECRET_KEY"] == made.environment["SECRET_KEY"]
    assert os.environ["DATA_DIR"] == str(tmp_path / "demo")
    assert os.environ["ENV_FILE"] == ""


@pytest.mark.usefixtures("clean_environment")
def test_without_a_demo_the_flag_says_how_to_make_one(tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        demo_environment.apply_or_exit(tmp_path / "demo")
    assert end.value.code == environment.BAD_SETTING
    assert "make demo" in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()


def test_a_first_migration_warns_of_nothing_and_everything_at_rest_is_for_its_owner_alone(manage, tmp_path):
    keep = "from dialogues import uploads; from django.core.files.base import ContentFile as F; uploads.keep(F(b'x'))"
    secret = fresh()["SECRET_KEY"]
    done = manage("migrate", "--verbosity", "0", SECRET_KEY=secret)
    assert (done.returncode, done.stderr) == (0, "")
    assert manage("shell", "--no-imports", "-c", keep, SECRET_KEY=secret).returncode == 0
    paths = [tmp_path / "data", *(tmp_path / "data").rglob("*")]
    assert any(path.suffix == ".upload" for path in paths)
    assert any(path.suffix == ".sqlite3" for path in paths)
    open_to_others = [path for path in paths if path.stat().st_mode & 0o077]
    assert not open_to_others


def test_what_an_earlier_version_left_open_is_closed(tmp_path):
    database, log = tmp_path / "stephanie.sqlite3", tmp_path / "web.log"
    for path in (database, log):
        path.touch()
        path.chmod(0o644)
    tmp_path.chmod(0o755)
    umask = os.umask(0o022)
    try:
        environment.keep_private(tmp_path, default=tmp_path / "elsewhere")
    finally:
        os.umask(umask)
    assert [path.stat().st_mode & 0o777 for path in (tmp_path, database, log)] == [0o700, 0o600, 0o600]


def test_a_folder_that_others_share_is_left_as_it_is(tmp_path):
    tmp_path.chmod(0o1777)
    for name in ("somebody.log", "stephanie.sqlite3"):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(0o644)
    umask = os.umask(0o022)
    try:
        environment.keep_private(tmp_path, default=tmp_path / "elsewhere")
    finally:
        os.umask(umask)
    assert tmp_path.stat().st_mode & 0o7777 == 0o1777
    assert (tmp_path / "somebody.log").stat().st_mode & 0o777 == 0o644

"""From a fresh checkout to a first study: `make start`, the first admin's link, a corpus, a launched study."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.watching import PATIENCE, Watch, assert_fits
from tests.demo_process import ROOT, free_port, running

PASSWORD = "a lantern in the boat shed"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of this checkout as a clone has them; only the installed packages are not installed again."""
    folder = tmp_path_factory.mktemp("clone") / "stephanie"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("this is no git checkout, so what a clone would hold is not known")
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to((ROOT / ".venv").resolve(), target_is_directory=True)
    return folder


@pytest.fixture(scope="module")
def started(checkout: Path):
    """What `make start` printed; it runs until the tests of this module are through."""
    bare = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with running(["make", "start", f"PORT={free_port()}"], checkout, bare) as (_, printed):
        yield printed


@pytest.fixture
def page(started: str, chromium: Browser):
    home = re.search(r"Stephanie is at (http://127\.0\.0\.1:\d+)/", started)[1]
    watch = Watch(home)
    context = chromium.new_context(base_url=home, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    watch.follow(page)
    yield page
    context.close()
    assert not watch.unexpected()


def test_a_first_start_leads_to_a_first_study(page: Page, started: str, checkout: Path) -> None:
    page.goto(re.search(r"http://\S+/invitation/\S+", started)[0])
    page.get_by_label("Username").fill("ada")
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    fits_at_both_widths(page)
    page.get_by_role("button", name="Make my account").click()
    expect(page.get_by_role("link", name="People")).to_be_visible()
    fits_at_both_widths(page)

    page.goto("/generation/examples/")
    expect(page.get_by_role("link", name="Stephanie examples, Version 1")).to_have_count(3)
    fits_at_both_widths(page)

    page.goto("/corpora/import/")
    page.get_by_label("File", exact=True).set_input_files(checkout / "dialogues" / "samples" / "stephanie-sample.jsonl")
    page.get_by_role("button", name="Read the file").click()
    page.get_by_label("Name").fill("First corpus")
    page.get_by_role("button", name=re.compile(r"Import \d+ dialogues")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("First corpus")
    fits_at_both_widths(page)

    page.goto("/studies/new/")
    page.get_by_label("Name", exact=True).fill("First study")
    page.get_by_role("button", name="Make a draft").click()
    page.get_by_label("Corpus").select_option(label="First corpus")
    page.get_by_role("button", name="Save and go on").click()
    page.wait_for_url("**/design/rubric/")
    page.goto(page.url.removesuffix("design/rubric/"))
    page.get_by_role("button", name="Launch study").click()
    expect(page.get_by_role("link", name=re.compile("Invite")).first).to_be_visible()
    fits_at_both_widths(page)


def test_commands_find_the_data_of_a_start_without_exports(started: str, checkout: Path) -> None:
    assert manage(checkout, "load_examples").stdout == "Everything is there already.\n"


@pytest.mark.parametrize("name", ["secrets.env", "stephanie.sqlite3", "web.log"])
def test_what_a_start_keeps_is_closed_to_others(name: str, started: str, checkout: Path) -> None:
    assert (checkout / "var").stat().st_mode & 0o077 == 0
    assert (checkout / "var" / name).stat().st_mode & 0o077 == 0


def fits_at_both_widths(page: Page) -> None:
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert_fits(page)


def manage(checkout: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [".venv/bin/python", "manage.py", *arguments]
    bare = {"PATH": os.environ["PATH"]}
    return subprocess.run(command, cwd=checkout, env=bare, capture_output=True, text=True, check=False)

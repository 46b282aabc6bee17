"""The whole job by hand in a browser, on the demo as `make demo` starts it: import, generate, rate, report."""

import json
import re
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.watching import PATIENCE, Watch, log_in
from tests.demo_process import RunningDemo, free_port, running_demo

METRICS = 6
DIALOGUES = 3
VERSIONS = 4
RATERS = 3

LINES = [
    ("Hello, how was the boat?", "Wet. The pump stopped half way and I had a bucket and a bad back."),
    ("Did you get home before dark?", "Just. My neighbour towed me in and laughed the whole time."),
    ("I would pay to see that.", 'You can, he filmed it. He <b>films</b> everything & sends it to "the club" 😀'),
    ("Are you going out again on Sunday?", "If the pump comes. If not I will paint the hull and listen to the radio."),
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory):
    with running_demo(tmp_path_factory.mktemp("walk") / "demo", free_port()) as running:
        yield running


@pytest.fixture
def visitor(demo: RunningDemo, chromium: Browser):
    """Open the demo in a browser profile of its own; what the browser complains about fails the test."""
    watch = Watch(demo.url)

    @contextmanager
    def visit():
        context = chromium.new_context(base_url=demo.url, viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        watch.follow(page)
        yield page
        context.close()

    yield visit
    assert not watch.unexpected()


def come_in(page: Page, name: str, password: str) -> None:
    page.goto("/login/")
    log_in(page, name, password)
    page.wait_for_url(lambda url: "/login/" not in url)


def import_a_corpus(page: Page, file) -> None:
    page.goto("/corpora/")
    page.get_by_role("link", name=re.compile("Import")).first.click()
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Read the file").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{DIALOGUES} dialogues to import")
    page.get_by_label("Name").fill("Harbour talk")
    page.get_by_role("button", name=f"Import {DIALOGUES} dialogues").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Harbour talk")


def generate(page: Page) -> None:
    page.goto("/generation/runs/new/")
    page.get_by_label("Name").fill("Harbour run")
    page.get_by_label("Corpus").select_option(label="Harbour talk")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Start run").click()
    # No reload: the page follows the worker by itself.
    expect(page.get_by_text(f"{DIALOGUES} of {DIALOGUES} dialogues").first).to_be_visible(timeout=90_000)
    expect(page.get_by_text("Finished").first).to_be_visible()


def open_a_study(page: Page) -> list[str]:
    """Make and launch the study; gives an invitation link for each rater."""
    page.goto("/studies/new/")
    page.get_by_label("Name", exact=True).fill("Harbour study")
    page.get_by_role("button", name="Make a draft").click()
    page.get_by_label("Corpus").select_option(label="Harbour talk")
    page.get_by_role("button", name="Save and go on").click()
    page.wait_for_url("**/design/rubric/")
    page.goto(page.url.removesuffix("design/rubric/"))
    page.get_by_role("button", name="Launch study").click()
    page.get_by_role("link", name=re.compile("Invite")).first.click()
    page.get_by_label("How many links").fill(str(RATERS))
    page.get_by_role("button", name="Make links").click()
    return page.get_by_label(re.compile("^Links")).input_value().split()


def rate_everything(page: Page, link: str, name: str, keys: str) -> None:
    """Accept the invitation and score every dialogue from the keyboard."""
    page.goto(link)
    page.get_by_label("Username").fill(name)
    for field in page.locator("input[type=password]").all():
        field.fill("a quiet harbour at dusk")
    page.get_by_role("button", name="Make my account").click()
    page.get_by_role("link", name="Dialogue rating").click()
    for number in range(1, DIALOGUES * VERSIONS + 1):
        expect(page.get_by_role("heading", name=f"Dialogue {number}", exact=True)).to_be_visible()
        page.locator("[data-rating][data-ready]").wait_for()
        for place in range(METRICS):
            page.keyboard.press(keys[(number + place) % len(keys)])
        page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("Thank you"))).to_be_visible()


def test_the_whole_job_from_import_to_report(demo, visitor, tmp_path):
    file = tmp_path / "harbour.jsonl"
    messages = [[speaker, text] for pair in LINES for speaker, text in zip((1, 2), pair, strict=True)]
    rows = [
        {"id": f"harbour-{n}", "messages": messages[: 6 + n], "traits_1": ["I ask a lot."], "traits_2": ["I sail."]}
        for n in range(DIALOGUES)
    ]
    file.write_text("\n".join(map(json.dumps, rows)))

    with visitor() as page:
        come_in(page, "researcher", demo.passwords["researcher"])
        import_a_corpus(page, file)
        generate(page)
        links = open_a_study(page)
    assert len(links) == RATERS

    for link, name, keys in zip(links, ("ann", "bo", "cy"), ("345", "344", "245"), strict=True):
        with visitor() as page:
            rate_everything(page, link, name, keys)

    with visitor() as page:
        come_in(page, "researcher", demo.passwords["researcher"])
        page.goto("/studies/")
        page.get_by_role("link", name="Harbour study").click()
        everything = DIALOGUES * VERSIONS * RATERS
        expect(page.get_by_text(f"{everything} of {everything}").first).to_be_visible()
        page.get_by_role("link", name="Read the report").click()
        # The study is still open: whoever reads its report says that they know the versions from now on.
        page.get_by_role("button", name="Unblind the study and read the report").click()
        expect(page.get_by_text(re.compile("Table 3")).first).to_be_visible()
        expect(page.get_by_text("demo rules, not a language model").first).to_be_visible()
        # Researchers read tables; the single ratings are an admin's to take out.
        assert page.request.get(page.url.replace("/report/", "/ratings.csv")).status in (403, 404)

    with visitor() as page:
        come_in(page, "admin", demo.passwords["admin"])
        page.goto("/studies/")
        page.get_by_role("link", name="Harbour study").click()
        page.get_by_role("link", name="Read the report").click()
        with page.expect_download() as download:
            page.get_by_role("link", name=re.compile("ratings", re.I)).first.click()
        exported = download.value.path().read_text().splitlines()
        assert len(exported) == 1 + DIALOGUES * VERSIONS * RATERS * METRICS


def test_each_role_lands_on_its_own_home_page(demo, visitor):
    for role, seen in (("rater", "Dialogue rating"), ("researcher", "Corpora"), ("admin", "People")):
        with visitor() as page:
            come_in(page, role, demo.passwords[role])
            expect(page.get_by_text(seen).first).to_be_visible()

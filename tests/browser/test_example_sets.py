"""Curating examples in a real browser: on a desk and on a phone, light and dark, by mouse, finger and keyboard."""

import pytest
from playwright.sync_api import Page, expect

from annotation.roles import Role
from dialogues.models import Dialogue
from generation import example_sets
from generation.curation import versions
from generation.curation.content import Content
from generation.curation.editing import add_example, change_example, remove_example
from generation.models import ExampleSet
from tests.browser.watching import PageMaker, Watch, assert_accessible, assert_usable, sign_in
from tests.generation.curated import draft_set, rewritten, topics
from tests.generation.runs import NOWHERE, endpoint_at, small_corpus
from tests.generation.written_runs import written_run
from tests.people import make_user

ODD = 'One <b>&"name"</b> 🎈 ' + "long" * 12


def awkward_pairs() -> ExampleSet:
    """Pairs of a run, with names and texts that break careless pages; one is reworded, one moved, one gone."""
    corpus = small_corpus(3, ODD)
    run = written_run(corpus, endpoint_at(NOWHERE), name=ODD)
    row = versions.make_set(name=ODD, kind="further_split", note=f"{ODD}\nand a line", by=None)
    for gamma in Dialogue.objects.filter(output__call__run=run, version="gamma"):
        after = gamma.rewrites.get()
        add_example(
            example_set=row, by=None, source="run", dialogue=gamma, dialogue_after=after,
            messages=[*gamma.messages, [1, gamma.key]], messages_after=after.messages, topic=ODD[:60],
            theme=ODD * 4, traits_1=[ODD], traits_2=["x"],
            note=ODD * 2,
        )  # fmt: skip
    versions.freeze(example_set=row, by=None)
    draft = versions.clone(example_set=row, name=ODD, by=make_user(Role.RESEARCHER, "anna"))
    one, two, _ = draft.examples.all()
    texts = {"messages": [*one.messages, [1, ODD]], "messages_after": [[1, "<i>" + "x" * 300], *one.messages_after[1:]]}
    content = Content.of(draft.kind, topic="other", note="Another reason.", **texts)
    change_example(example=one, seen=0, content=content, by=None)
    remove_example(example=two, by=None)
    return draft


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_every_page_of_example_sets_fits_and_can_be_used_by_all(page: Page, watch: Watch) -> None:
    # Values in the address that make no sense, on purpose.
    watch.expect("status of 422")
    watch.expect("cannot be parsed, or is out of range")
    example_sets.load_all()
    draft = awkward_pairs()
    example = draft.examples.earliest("position")
    gamma = Dialogue.objects.filter(version="gamma").earliest("pk")
    empty = draft_set(0, name="Nothing in it")
    sign_in(page, make_user(Role.RESEARCHER))
    own = draft.get_absolute_url()
    for path in (
        *("/generation/examples/", "/generation/examples/?q=nothing-like-this", "/generation/examples/new/"),
        *("/generation/examples/import/", own, draft.parent.get_absolute_url(), empty.get_absolute_url()),
        *(f"{own}edit/", f"{own}freeze/", f"{own}clone/", f"{own}delete/", f"{own}balance/", f"{own}compare/"),
        *(f"{own}balance/?window=512", f"{own}balance/?window=x", f"{empty.get_absolute_url()}balance/"),
        *(f"{own}compare/?other=x", f"{empty.get_absolute_url()}compare/", f"{own}add/", f"{own}choose/"),
        *(f"{own}choose/?q=nothing-like-this", f"{own}choose/{gamma.pk}/"),
        *(f"/generation/examples/one/{example.pk}/", f"/generation/examples/one/{example.pk}/remove/"),
    ):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert_usable(page)


def opened(page: Page, row: ExampleSet, name: str = "bea") -> None:
    sign_in(page, make_user(Role.RESEARCHER, name))
    page.goto(row.get_absolute_url())


def test_a_set_is_made_filled_and_frozen_with_the_keyboard_alone(page: Page, watch: Watch) -> None:
    watch.expect("status of 422")
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto("/generation/examples/new/")
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("By keys")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No example yet")).to_be_visible()
    page.get_by_role("link", name="Write one").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Dialogue").focus()
    page.keyboard.type("A: Hi\nhello\n")
    for _ in range(6):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Line 2 says neither A: nor B: at its start.")).to_be_visible()
    page.get_by_label("Dialogue").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("A: Hi\nB: Hello\nB: You?\n")
    page.get_by_label("Why it is here").focus()
    page.keyboard.type("Short.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Example 1 is in the set.")).to_be_visible()
    page.get_by_role("link", name="Freeze…").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Freeze it").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("By keys v1 is frozen.")).to_be_visible()
    expect(page.get_by_role("link", name="Edit example 1")).to_have_count(0)
    example = ExampleSet.objects.get(name="By keys").examples.get()
    assert (example.messages, example.note) == ([[1, "Hi"], [2, "Hello"], [2, "You?"]], "Short.")


def test_arrows_move_an_example_keep_the_focus_and_say_so(page: Page) -> None:
    row = draft_set(3)
    opened(page, row)
    page.get_by_role("button", name="Move example 3 up").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-order-said]")).to_have_text("topic 3 is now example 2 of 3.")
    expect(page.get_by_role("button", name="Move example 2 up")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[data-order-said]")).to_have_text("topic 3 is now example 1 of 3.")
    # At the top the arrow up is off, and the other one has the focus.
    expect(page.get_by_role("button", name="Move example 1 up")).to_be_disabled()
    expect(page.get_by_role("button", name="Move example 1 down")).to_be_focused()
    expect(page.locator("[data-order-form] [name=revision]")).to_have_value("2")
    assert topics(row) == ["topic 3", "topic 1", "topic 2"]
    assert_accessible(page)


def drag(page: Page, name: str, onto: str) -> None:
    handle = page.locator(f"[data-name='{name}'] [data-handle]")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    target = page.locator(f"[data-name='{onto}']").bounding_box()
    assert target is not None
    page.mouse.move(box["x"] + 5, target["y"] + target["height"] / 2 - 2, steps=4)
    page.mouse.move(box["x"] + 5, target["y"] + 1, steps=4)


@pytest.mark.parametrize("width", [1280, 390])
def test_an_example_is_dragged_to_another_place(page: Page) -> None:
    row = draft_set(4)
    opened(page, row)
    drag(page, "topic 3", "topic 1")
    page.mouse.up()
    expect(page.locator("[data-order-said]")).to_have_text("topic 3 is now example 1 of 4.")
    expect(page.locator("[data-order-form] [name=revision]")).to_have_value("1")
    assert topics(row) == ["topic 3", "topic 1", "topic 2", "topic 4"]


def test_escape_lets_go_of_a_drag(page: Page) -> None:
    row = draft_set(3)
    opened(page, row)
    drag(page, "topic 3", "topic 1")
    expect(page.locator("[data-example]").first).to_have_attribute("data-name", "topic 3")
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator("[data-example]").first).to_have_attribute("data-name", "topic 1")
    expect(page.locator("[data-order-said]")).to_be_empty()
    assert topics(row) == ["topic 1", "topic 2", "topic 3"]


def test_an_order_made_on_an_old_page_shows_both_and_mine_can_be_had(
    page: Page, new_page: PageMaker, watch: Watch
) -> None:
    watch.expect("status of 409")
    row = draft_set(3)
    other = new_page()
    opened(other, row, "carl")
    opened(page, row)
    other.get_by_role("button", name="Move example 1 down").click()
    expect(other.locator("[data-order-form] [name=revision]")).to_have_value("1")
    page.get_by_role("button", name="Move example 3 up").click()
    expect(page.get_by_role("heading", name="Somebody else has changed this set")).to_be_visible()
    assert topics(row) == ["topic 2", "topic 1", "topic 3"]
    assert_accessible(page)
    page.get_by_role("button", name="Use mine").click()
    expect(page.get_by_role("heading", level=1, name="Mine v1")).to_be_visible()
    assert topics(row) == ["topic 1", "topic 3", "topic 2"]


@pytest.mark.parametrize("width", [1280, 390])
def test_two_people_on_one_example_see_both_texts(page: Page, new_page: PageMaker, watch: Watch) -> None:
    watch.expect("status of 409")
    row = draft_set(1)
    address = f"/generation/examples/one/{row.examples.get().pk}/"
    other = new_page()
    for one, name in ((page, "bea"), (other, "carl")):
        sign_in(one, make_user(Role.RESEARCHER, name))
        one.goto(address)
        one.get_by_label("Dialogue").fill(f"A: {name} wrote this\nB: <b>yes</b>")
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_text("Example 1 is saved.")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Somebody else has changed this example")).to_be_visible()
    expect(page.get_by_label("Dialogue: yours")).to_have_value("A: bea wrote this\nB: <b>yes</b>")
    expect(page.get_by_label("Dialogue: stored now")).to_have_value("A: carl wrote this\nB: <b>yes</b>")
    assert_usable(page)
    assert row.examples.get().messages[0] == [1, "carl wrote this"]
    page.get_by_role("button", name="Keep mine").click()
    expect(page.get_by_text("Example 1 is saved.")).to_be_visible()
    assert row.examples.get().messages[0] == [1, "bea wrote this"]


def test_without_script_the_arrows_still_move(new_page: PageMaker) -> None:
    row = draft_set(3)
    page = new_page(java_script_enabled=False)
    opened(page, row)
    page.get_by_role("button", name="Move example 1 down").click()
    assert topics(row) == ["topic 2", "topic 1", "topic 3"]


def test_a_dialogue_with_its_rewrite_is_chosen_by_keyboard_into_a_set_of_pairs(page: Page) -> None:
    corpus = small_corpus(2)
    source = Dialogue.objects.filter(corpus=corpus).earliest("pk")
    rewritten(corpus, source, "stephanie")
    mine = rewritten(corpus, source, "restructured")
    row = draft_set(0, "further_split", "Pairs")
    opened(page, row)
    page.get_by_role("link", name="Choose dialogues").first.click()
    page.get_by_role("link", name="d0").focus()
    page.keyboard.press("Enter")
    page.get_by_label("by hand, 7 messages").last.focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Add and choose another").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("in the set", exact=True)).to_be_visible()
    assert row.examples.get().dialogue_after == mine


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_two_names_of_one_set_are_shown_readably(page: Page, watch: Watch, width: int, scheme: str) -> None:
    watch.expect("status of 409")
    researcher = make_user(Role.RESEARCHER)
    sign_in(page, researcher)
    row = ExampleSet.objects.create(name="Mine", kind="step_by_step")
    page.goto(f"/generation/examples/{row.pk}/edit/")
    ExampleSet.objects.filter(pk=row.pk).update(name='Theirs <b>&" 🎉', revision=1)
    page.get_by_label("Name").fill("Another")
    page.locator("main form button[type=submit]").first.click()
    expect(page.get_by_text("Theirs <b>").first).to_be_visible()
    assert_usable(page)

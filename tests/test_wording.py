"""Texts that raters and invited people read can be said in every language we have."""

import ast
import gettext
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from annotation.chats import wording as chats
from annotation.rating import views as rating
from annotation.restructuring import wording as restructuring
from config import context_processors as frame
from core.script_words import sentences_for_scripts
from dialogues.editing import EditError, History, Reword, Split
from dialogues.transcript import Transcript
from tests.messages import entries

ROOT = Path(__file__).resolve().parents[1]
TRANSLATED = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
PAGES = [
    "base.html", "base_focus.html", "_site_header.html", "_nav_item.html", "_field.html", "_field_errors.html",
    "_form_errors.html", "_messages.html", "_pagination.html", "_empty.html", "_progress.html", "_when.html",
    "_theme_switch.html", "_language_switch.html", "_demo_badge.html", "_simulated_badge.html", "_bubbles.html",
    "_character.html", "_characters.html", "403.html", "403_csrf.html", "404.html", "500.html", "503.html",
    "people/accept.html", "people/join.html", "people/link_not_valid.html", "people/invitation_ended.html",
    "people/open_link.html", "people/open_link_busy.html", "people/open_link_closed.html",
    "people/open_link_joined.html", "people/return_link.html",
    "restructuring/mine.html", "chats/chat.html",
    "restructuring/editor.html", "restructuring/_card.html", "restructuring/_piece.html",
    "restructuring/_proposal.html", "restructuring/_tools.html", "restructuring/_figures.html",
    "restructuring/_original.html",
    "restructuring/_keys.html", "restructuring/_conflict.html", "restructuring/_remarks.html",
    *(str(path.relative_to(ROOT / "templates")) for folder in ("registration", "rating")
      for path in sorted((ROOT / "templates" / folder).glob("*.html"))),
]  # fmt: skip
# What is the same in every language: the product's name, keys, tags of the page's head.
SAME = re.compile(r"Stephanie|<kbd\b.*?</kbd>|Ctrl (Shift )?Z|&\w+;|{% block body_class %}.*?{% endblock", re.DOTALL)
TRANSLATION = re.compile(r"{% blocktranslate.*?{% endblocktranslate %}|{% comment.*?{% endcomment %}", re.DOTALL)
READ_ATTRIBUTES = re.compile(r'\b(?:aria-label|title|alt|placeholder)="([^"]*)"')
HANDED_ON = re.compile(r'\b(?:label|title|text|action_label|now)="([^"]+)"')
WORD = re.compile(r"[A-Za-z]{2,}")

SCRIPTS = {
    "frame": (frame, ["status.js", "scrollers.js", "copy.js"]),
    "restructuring": (restructuring, sorted((ROOT / "static/js/restructuring").glob("*.js"))),
    "chats": (chats, sorted((ROOT / "static/js/chats").glob("*.js"))),
    "rating": (rating, sorted((ROOT / "static/js").glob("rating*.js"))),
}
TOLD = re.compile(r'\b(?:tell|refuse)\(\s*"((?:[^"\\]|\\.)*)"')
COUNTED = re.compile(r'\btellCount\(\s*"[^"]*",\s*"([^"]*)"')
SENTENCE = re.compile(r'["`]([A-Z][a-z]+ [^"`\n]*[a-z][^"`\n]*)["`]')


def bare(source: str) -> list[str]:
    """English of a template that stands outside every translation."""
    handed = [text for tag in re.findall(r"{% include .*?%}", source) for text in HANDED_ON.findall(tag)]
    source = SAME.sub("", TRANSLATION.sub("", source))
    source = re.sub(r"{%.*?%}|{{.*?}}", "", source, flags=re.DOTALL)
    read = READ_ATTRIBUTES.findall(source)
    shown = re.sub(r"<!DOCTYPE[^>]*>|<[^>]*>", "\n", source).splitlines()
    return [text.strip() for text in (*shown, *read, *handed) if WORD.search(text)]


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_said_in_english_alone(name: str) -> None:
    assert bare((ROOT / "templates" / name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Save</p>",
        '<p title="Save it">{{ x }}</p>',
        '{% include "a.html" with label="Save" %}',
        "{% if a %}Save{% endif %}",
    ],
)
def test_english_that_is_not_marked_is_noticed(source: str) -> None:
    assert bare(source)


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_text_is_translated_with_the_same_places_to_fill(code: str) -> None:
    found = list(entries(ROOT / f"locale/{code}/LC_MESSAGES/django.po"))
    assert len(found) > 300
    for entry in found:
        allowed = [places(entry["msgid"]), places(entry.get("msgid_plural", entry["msgid"]))]
        for key in [key for key in entry if key.startswith("msgstr")]:
            assert entry[key].strip(), entry["msgid"]
            # A form for no, one or two may say the number in words.
            told = places(entry[key])
            assert told in allowed or ("msgid_plural" in entry and told <= allowed[1]), entry["msgid"]


def places(text: str) -> Counter[str]:
    return Counter(re.findall(r"%\(\w+\)s|{\w+}|%%|<[^>]+>", text))


@pytest.mark.parametrize("code", TRANSLATED)
def test_the_compiled_catalogue_says_what_its_source_says(code: str) -> None:
    folder = ROOT / f"locale/{code}/LC_MESSAGES"
    with (folder / "django.mo").open("rb") as file:
        compiled = dict(gettext.GNUTranslations(file)._catalog)  # type: ignore[attr-defined]
    compiled.pop("")
    expected: dict[object, str] = {}
    for entry in entries(folder / "django.po"):
        key = f"{entry['msgctxt']}\x04{entry['msgid']}" if "msgctxt" in entry else entry["msgid"]
        forms = {name: text for name, text in entry.items() if name.startswith("msgstr")}
        expected |= {(key, int(name[7])) if "[" in name else key: text for name, text in forms.items()}
    assert compiled == expected


@pytest.mark.parametrize("wing", SCRIPTS)
def test_scripts_say_only_what_their_list_holds_and_all_of_it(wing: str) -> None:
    words, files = SCRIPTS[wing]
    told: set[str] = set()
    for file in files:
        source = (ROOT / "static/js" / file).read_text(encoding="utf-8")
        told |= {*TOLD.findall(source), *COUNTED.findall(source)}
        bare_sentences = set(SENTENCE.findall(re.sub(r"//.*|tellCount\([^;]*;", "", source))) - told
        assert bare_sentences == set(), file
    listed = {*words.SAID_BY_SCRIPTS, *getattr(words, "COUNTED_BY_SCRIPTS", {})}
    assert told == listed


def test_what_the_editing_core_refuses_is_listed_for_translation() -> None:
    listed = {*restructuring.SAID_BY_BOTH, *restructuring.SAID_BY_SERVER}
    assert set(refusals("dialogues/editing.py", "annotation/restructuring/proposals.py")) == listed


def refusals(*paths: str) -> Iterable[str]:
    for path in paths:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        named = {
            node.targets[0].id: node.value.value  # type: ignore[attr-defined]
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "EditError":
                sentence = node.args[0]
                yield sentence.value if isinstance(sentence, ast.Constant) else named[sentence.id]  # type: ignore[attr-defined,misc]


def test_a_refusal_of_the_core_is_told_in_the_readers_language() -> None:
    history = History(Transcript.of([[1, "hi"]]))
    with pytest.raises(EditError) as nowhere:
        history.apply(Split(7, 0))
    with pytest.raises(EditError) as empty:
        history.apply(Reword(0, " "))
    assert restructuring.refusal(nowhere.value) == str(nowhere.value) == "There is no message 8 in this draft."
    with translation.override("ar"):
        assert restructuring.refusal(nowhere.value) == "لا توجد رسالة رقمها 8 في هذه المسودة."
        assert restructuring.refusal(empty.value) == "لا يصلح هذا رسالةً: النص فارغ."
    assert str(empty.value) == "This cannot be a message: text is empty."


def test_counted_sentences_bring_every_form_and_which_count_takes_it() -> None:
    assert restructuring.script_words() == {}
    with translation.override("ar"):
        told = restructuring.script_words()["Accepted: {count} messages."]
        assert sentences_for_scripts(["Saved"]) == {"Saved": "تم الحفظ"}
    assert [told["forms"][told["of"][count]] for count in (1, 2, 3, 11, 102)] == [
        "قُبلت رسالة واحدة.", "قُبلت رسالتان.", "قُبلت {count} رسائل.", "قُبلت {count} رسالة.", "قُبلت {count} رسالة.",
    ]  # fmt: skip


# What is translated; a long sentence stands on several lines.
MARKED = re.compile(r'\b(?:_|gettext_noop|gettext_lazy)\(\s*((?:"[^"\\]+"\s*)+)')


@pytest.mark.parametrize("code", TRANSLATED)
def test_what_is_marked_since_the_catalogue_was_collected_is_noticed(code: str) -> None:
    known = {entry["msgid"] for entry in entries(ROOT / f"locale/{code}/LC_MESSAGES/django.po")}
    marked: set[tuple[str, str]] = set()
    for path in (ROOT / "templates").rglob("*.html"):
        marked |= set(re.findall(r'{% translate "([^"]+)"|_\("([^"]+)"\)', path.read_text(encoding="utf-8")))
    found = {first or second for first, second in marked}
    for app in ("annotation", "config", "dialogues"):
        for path in (ROOT / app).rglob("*.py"):
            found |= {"".join(re.findall(r'"([^"]+)"', text)) for text in MARKED.findall(path.read_text("utf-8"))}
    assert len(found) > 300
    assert {text.replace("%", "%%") if text not in known else text for text in found} - known == set()

"""Colours that can be read, and templates that need nothing the security policy forbids."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOKENS = (ROOT / "static/css/tokens.css").read_text(encoding="utf-8")
HUES = ("alpha", "beta", "gamma", "stephanie", "punctuation", "restructured", "other")

SURFACES = ("page", "surface", "surface-sunken", "surface-hover")
TEXTS = [
    *((ink, surface) for ink in ("ink", "muted") for surface in (*SURFACES, "speaker-1", "speaker-2", "accent-soft")),
    *(("ink", f"{state}-soft") for state in ("danger", "ok", "warn")),
    *((state, surface) for state in ("accent", "danger") for surface in ("page", "surface", f"{'accent'}-soft")),
    ("danger", "danger-soft"),
    ("ok", "ok-soft"),
    ("warn", "warn-soft"),
    ("accent-hover", "accent-soft"),
    ("accent-ink", "accent"),
    ("accent-ink", "accent-hover"),
    ("danger-ink", "danger"),
    *((f"hue-{hue}-ink", f"hue-{hue}-soft") for hue in HUES),
]
# Lines and marks that carry meaning need less (WCAG 1.4.11).
MARKS = [
    *(("line-strong", surface) for surface in ("page", "surface")),
    *(("focus", surface) for surface in ("page", "surface")),
    *(("accent", surface) for surface in ("surface-sunken",)),
    *((f"hue-{hue}", surface) for hue in HUES if hue != "punctuation" for surface in ("surface",)),
]


def colour(name: str, scheme: str) -> str:
    light, dark = re.search(rf"--{name}: light-dark\((#\w{{6}}), (#\w{{6}})\)", TOKENS).groups()  # type: ignore[union-attr]
    return light if scheme == "light" else dark


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_what_wcag_says_it_is() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("pairs", "least"), [(TEXTS, 4.5), (MARKS, 3)], ids=["texts", "marks"])
def test_texts_and_marks_stand_out_from_their_ground(pairs: list[tuple[str, str]], least: float, scheme: str) -> None:
    found = {pair: contrast(colour(pair[0], scheme), colour(pair[1], scheme)) for pair in pairs}
    assert {pair: round(value, 2) for pair, value in found.items() if value < least} == {}


@pytest.mark.parametrize(
    ("forbidden", "why"),
    [
        (r"\sstyle\s*=", "style attributes are refused by the policy"),
        (r"<style\b", "inline styles are refused by the policy"),
        (r"\son\w+\s*=", "inline handlers are refused by the policy"),
        (r"<script(?![^>]*\ssrc=)", "inline scripts are refused by the policy"),
        (r"\shx-on[:-]|\shx-vals\s*=\s*.js:", "htmx may not evaluate code"),
        (r"""\s(src|href)\s*=\s*["']?(https?:)?//""", "nothing is fetched from elsewhere"),
    ],
)
def test_no_template_asks_for_what_the_policy_forbids(forbidden: str, why: str) -> None:
    found = [name for name, text in templates().items() if re.search(forbidden, without_tags(text))]
    assert found == [], why


def test_no_template_trusts_text_as_markup() -> None:
    trusting = re.compile(r"\|\s*safe(seq)?\b|autoescape\s+off")
    assert [name for name, text in templates().items() if trusting.search(text)] == []


def templates() -> dict[str, str]:
    folder = ROOT / "templates"
    found = {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*.html")}
    assert "base.html" in found
    return found


def without_tags(text: str) -> str:
    return re.sub(r"{%.*?%}", "", text, flags=re.DOTALL)

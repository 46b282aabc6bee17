"""The statistics page and its files: what they show, in which forms, and to whom."""

import csv
import io
import re
from pathlib import Path

import pytest
from django.core.cache import caches
from django.test import Client

from annotation.roles import Role
from dialogues.charts import FIGURES, THEMES
from dialogues.models import Corpus
from tests.dialogues.rows import ALPHA, GAMMA, add_dialogue
from tests.people import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def corpus() -> Corpus:
    caches["results"].clear()
    corpus = Corpus.objects.create(name="Small = talk")
    for number in range(3):
        origin = add_dialogue(corpus, f"a{number}", ALPHA, "alpha")
        if number < 2:
            add_dialogue(corpus, f"g{number}", GAMMA, "gamma", origin=origin, is_demo=True)
    return corpus


def page(client: Client, corpus: Corpus, query: str = "") -> str:
    response = client.get(f"/corpora/{corpus.pk}/statistics/{query}")
    assert response.status_code == 200
    return response.content.decode()


def test_the_page_shows_figures_beside_the_papers_and_names_its_tokenizer(researcher: Client, corpus: Corpus) -> None:
    text = page(researcher, corpus)
    assert "Tokenizer: whitespace tokens" in text
    assert "11.77" in text  # the paper's words a message for α
    assert "5.00" in text  # (6 + 4) / 2 of this α
    assert ">n</th>" in text
    assert "demo rules, not a language model" in text
    assert 'aria-current="true">Whitespace tokens' in text


def test_the_switches_change_tokenizer_and_backgrounds_and_keep_each_other(researcher: Client, corpus: Corpus) -> None:
    text = page(researcher, corpus, "?tokens=words&backgrounds=shared")
    assert "Tokenizer: words only" in text
    assert "Only backgrounds that every version has." in text
    assert 'href="?tokens=whitespace&amp;backgrounds=shared"' in text
    assert 'href="?tokens=words&amp;backgrounds=all"' in text
    assert "statistics/tables/lengths.csv?tokens=words&amp;backgrounds=shared" in text


def test_an_unknown_choice_in_the_address_counts_as_the_default(researcher: Client, corpus: Corpus) -> None:
    assert "Tokenizer: whitespace tokens" in page(researcher, corpus, "?tokens=<b>&backgrounds=7")


def test_a_corpus_without_dialogues_says_what_to_do_next(researcher: Client) -> None:
    text = page(researcher, Corpus.objects.create(name="Nothing yet"))
    assert "This corpus has no dialogues" in text
    assert "Tokenizer" not in text


def test_backgrounds_are_no_choice_where_every_version_has_them_all(researcher: Client, corpus: Corpus) -> None:
    corpus.dialogues.get(key="a2").delete()
    assert "Shared backgrounds only" not in page(researcher, corpus)


def test_every_table_is_a_file_in_every_form(researcher: Client, corpus: Corpus) -> None:
    text = page(researcher, corpus)
    links = re.findall(r'href="([^"]+/tables/[^"]+)"', text)
    assert len(links) == 3 * len(
        ("CSV", "comma for Excel", "semicolon for Excel", "a column of LaTeX", "a page of LaTeX", "Markdown")
    )
    for link in links:
        response = researcher.get(link.replace("&amp;", "&"))
        assert response.status_code == 200
        assert response["Content-Disposition"].startswith('attachment; filename="small-talk-')
        body = response.content.decode()
        if ".csv" in link:
            delimiter = ";" if link.endswith("excel=semicolon") else ","
            rows = list(csv.reader(io.StringIO(body.removeprefix("\ufeff")), delimiter=delimiter))
            assert {len(row) for row in rows} == {len(rows[0])}
            assert len(rows[0]) > 1
            assert "γ (demo rules, not a language model)" in {row[0] for row in rows}
        else:
            assert (r"\begin{tabular}" if ".tex" in link else "| Version |") in body


@pytest.mark.parametrize("slug", FIGURES)
def test_every_figure_is_svg_pdf_and_png(researcher: Client, corpus: Corpus, slug: str) -> None:
    base = f"/corpora/{corpus.pk}/statistics/figures/{slug}"
    svg = researcher.get(f"{base}.svg")
    assert svg["Content-Type"] == "image/svg+xml"
    text = svg.content.decode()
    assert text.startswith("<svg")
    assert "demo rules, not a language model" in text
    assert "<script" not in text
    assert researcher.get(f"{base}.pdf?download=1").content.startswith(b"%PDF")
    png = researcher.get(f"{base}.png?download=1&tokens=words")
    assert png.content.startswith(b"\x89PNG")
    assert png["Content-Disposition"] == f'attachment; filename="small-talk-{slug}-words.png"'


def test_a_figure_follows_the_theme_and_a_kept_file_has_a_ground(researcher: Client, corpus: Corpus) -> None:
    base = f"/corpora/{corpus.pk}/statistics/figures/consecutive.svg"
    light, dark, kept = (researcher.get(base + query).content.decode() for query in ("", "?theme=dark", "?download=1"))
    assert THEMES["light"].hues["gamma"] in light
    assert THEMES["dark"].hues["gamma"] in dark
    assert THEMES["light"].hues["gamma"] not in dark
    assert f'fill="{THEMES["light"].paper}"' in kept
    assert f'fill="{THEMES["light"].paper}"' not in light


def test_a_figure_is_not_sent_twice_until_the_corpus_changes(researcher: Client, corpus: Corpus) -> None:
    address = f"/corpora/{corpus.pk}/statistics/figures/distinct-mean.svg"
    tag = researcher.get(address)["ETag"]
    again = researcher.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    add_dialogue(corpus, "new", GAMMA, "alpha")
    assert researcher.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_a_hostile_name_is_text_in_a_figure(researcher: Client, corpus: Corpus) -> None:
    corpus.name = "</text><script>alert(1)</script>"
    corpus.save(update_fields=["name"])
    text = researcher.get(f"/corpora/{corpus.pk}/statistics/figures/consecutive.svg").content.decode()
    assert "<script" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize(
    "path", ["tables/nothing.csv", "tables/lengths.exe", "figures/nothing.svg", "figures/consecutive.exe"]
)
def test_an_unknown_file_is_not_found(researcher: Client, corpus: Corpus, path: str) -> None:
    assert researcher.get(f"/corpora/{corpus.pk}/statistics/{path}").status_code == 404


PATHS = ("", "tables/lengths.csv", "figures/consecutive.svg")


@pytest.mark.parametrize("path", PATHS)
def test_a_rater_is_refused_with_a_reason_and_a_stranger_led_to_the_door(
    client: Client, corpus: Corpus, path: str
) -> None:
    address = f"/corpora/{corpus.pk}/statistics/{path}"
    assert client.get(address).status_code == 302
    client.force_login(make_user(Role.RATER))
    response = client.get(address)
    assert response.status_code == 403
    assert "Your role cannot see a corpus" in response.content.decode()


@pytest.mark.parametrize("path", PATHS)
def test_a_corpus_that_is_not_there_is_not_found(researcher: Client, path: str) -> None:
    assert researcher.get(f"/corpora/99999/statistics/{path}").status_code == 404


def test_charts_and_style_sheet_agree_on_every_colour() -> None:
    tokens = (Path(__file__).resolve().parents[2] / "static/css/tokens.css").read_text(encoding="utf-8")
    named = {name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+): light-dark\((\S+), (\S+)\)", tokens)}
    light, dark = THEMES["light"], THEMES["dark"]
    for hue in light.hues:
        assert named[f"hue-{hue}"] == (light.hues[hue], dark.hues[hue])
    for name, token in (("ink", "ink"), ("muted", "muted"), ("line", "line"), ("paper", "surface")):
        assert named[token] == (getattr(light, name), getattr(dark, name))


def test_the_chart_script_is_our_own_file_and_is_kept(researcher: Client) -> None:
    response = researcher.get("/corpora/chart-script.js", headers={"Accept-Encoding": "gzip"})
    assert response["Content-Type"].startswith("text/javascript")
    assert response["Content-Encoding"] == "gzip"
    assert len(response.content) > 100_000
    again = researcher.get("/corpora/chart-script.js", headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304


def test_a_file_of_a_corpus_without_a_latin_letter_is_named_by_its_number(researcher: Client) -> None:
    corpus = Corpus.objects.create(name="Беседы")
    response = researcher.get(f"/corpora/{corpus.pk}/statistics/tables/lengths.csv")
    name = f"corpus-{corpus.pk}-lengths-whitespace.csv"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'

"""The shared parts of pages, rendered with awkward content."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template.loader import render_to_string
from django.test import RequestFactory

from dialogues.models import Version

AWKWARD = '<b>&"</b><script>alert(1)</script> 🎉'
ESCAPED = "&lt;b&gt;&amp;&quot;&lt;/b&gt;&lt;script&gt;alert(1)&lt;/script&gt; 🎉"


class Form(forms.Form):
    name = forms.CharField(help_text="As others see it.")
    size = forms.IntegerField(required=False)
    kind = forms.ChoiceField(choices=[("a", AWKWARD)], widget=forms.RadioSelect, help_text="Pick one.")
    agree = forms.BooleanField()
    secret = forms.CharField(widget=forms.HiddenInput)


@pytest.mark.parametrize(
    ("template", "context"),
    [
        ("_bubbles.html", {"turns": [{"speaker": 1, "name": AWKWARD, "messages": ["x", AWKWARD]}]}),
        ("_characters.html", {"names": [AWKWARD, "B"], "traits_1": [AWKWARD], "traits_2": []}),
        ("_empty.html", {"title": AWKWARD, "text": AWKWARD, "action_url": "/", "action_label": AWKWARD}),
        ("_stat.html", {"label": AWKWARD, "value": AWKWARD, "note": AWKWARD}),
        ("_progress.html", {"label": AWKWARD, "done": 1, "total": 2}),
        ("_version_badge.html", {"version": Version(symbol=AWKWARD, name=AWKWARD, hue="other")}),
    ],
)
def test_awkward_text_stays_text(template: str, context: dict[str, Any]) -> None:
    html = render_to_string(template, context)
    assert ESCAPED in html
    assert "<script" not in html


def pagination(query: str, number: int, items: int = 250_000) -> str:
    page = Paginator(range(items), 25).get_page(number)
    return render_to_string("_pagination.html", {"page": page}, RequestFactory().get(f"/corpora/?{query}"))


def test_pagination_keeps_the_other_parameters_in_links_and_form() -> None:
    html = pagination("q=a+%22b%22&version=alpha&version=beta&page=37", 37)
    assert 'rel="next" href="?q=a+%22b%22&amp;version=alpha&amp;version=beta&amp;page=38"' in html
    assert '<input type="hidden" name="q" value="a &quot;b&quot;">' in html
    assert html.count('<input type="hidden" name="version"') == 2
    assert '<input type="hidden" name="page"' not in html
    assert "901–925 of 250,000" in html
    assert "of 10,000" in html


def test_pagination_offers_no_way_past_the_ends_and_is_silent_for_one_page() -> None:
    assert "Previous" not in pagination("", 1)
    assert "Next" not in pagination("", 10_000)
    assert pagination("", 1, items=25).strip() == ""


def test_a_field_names_its_help_and_its_error_for_those_who_cannot_see_them() -> None:
    form = Form({})
    html = render_to_string("_field.html", {"field": form["name"]})
    ids = re.findall(r'aria-describedby="([^"]+)"', html)[0].split()
    assert ids == ["id_name_helptext", "id_name_error"]
    assert all(f'id="{name}"' in html for name in ids)
    assert 'aria-invalid="true"' in html


def test_radios_are_a_group_with_one_question() -> None:
    html = render_to_string("_field.html", {"field": Form({})["kind"]})
    assert "<fieldset" in html
    assert "<legend>Kind" in html
    assert 'aria-describedby="id_kind_helptext id_kind_error"' in html


def test_only_what_may_be_left_out_is_marked() -> None:
    form = Form()
    assert "(optional)" in render_to_string("_field.html", {"field": form["size"]})
    assert "(optional)" not in render_to_string("_field.html", {"field": form["name"]})
    assert "<label" not in render_to_string("_field.html", {"field": form["secret"]})


def test_form_errors_lead_to_each_field_and_are_silent_before_the_form_is_sent() -> None:
    html = render_to_string("_form_errors.html", {"form": Form({})})
    assert '<a href="#id_name">Name</a>' in html
    assert "Nothing was saved yet" in html
    assert render_to_string("_form_errors.html", {"form": Form()}).strip() == ""


def test_every_link_of_the_form_errors_has_a_target() -> None:
    form = Form({"secret": "x"})
    fields = "".join(render_to_string("_field.html", {"field": field}) for field in form)
    for target in re.findall(r'href="#([^"]+)"', render_to_string("_form_errors.html", {"form": form})):
        assert f'id="{target}"' in fields


@pytest.mark.parametrize(("done", "total", "shown"), [(1204, 5457, "1,204 of 5,457"), (0, 0, "0 of 0")])
def test_progress_is_words_and_a_bar_even_when_there_is_nothing_to_do(done: int, total: int, shown: str) -> None:
    html = render_to_string("_progress.html", {"label": "Written", "done": done, "total": total})
    assert shown in html
    assert f'max="{total or 1}"' in html


def test_a_time_is_told_from_now_with_the_full_date_beside_it() -> None:
    when = datetime.now(UTC) - timedelta(hours=2)
    html = render_to_string("_when.html", {"when": when})
    assert "2\xa0hours ago" in html
    assert str(when.year) in html
    assert "never" in render_to_string("_when.html", {"when": None})

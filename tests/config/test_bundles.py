"""Style sheets and modules put together into one file each."""

import re

import pytest
from django.contrib.staticfiles import finders
from django.test import override_settings

from config.bundles import SCRIPTS, STYLES, BundleError, bundled_script, bundled_styles
from config.templatetags.bundles import bundle_script, bundle_styles

MODULES = {
    "js/entry.js": 'import { one, two } from "./part.js";\nimport {\n  Three,\n} from "./sub/three.js";\none(two);\n',
    "js/part.js": "// says one\nexport async function one() {}\nexport const two = 2;\nfunction hidden() {}\n",
    "js/sub/three.js": 'import { two } from "../part.js";\nexport class Three {\n  two = two;\n}\n',
}


def real(name: str) -> str:
    path = finders.find(name)
    assert isinstance(path, str), name
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as the storage opens it
        return file.read()


def test_each_module_is_there_once_before_those_that_need_it_and_shows_only_what_it_exports() -> None:
    made = bundled_script("js/entry.js", MODULES.__getitem__)
    names = re.findall(r"^const (\$\w+) = \(\(\) =>", made, re.MULTILINE)
    assert names == ["$js_part_js", "$js_sub_three_js", "$js_entry_js"]
    assert "return {one, two};" in made
    assert "const {one, two} = $js_part_js;" in made
    assert "const {Three} = $js_sub_three_js;" in made
    assert not re.search(r"^(import|export)\b", made, re.MULTILINE)


@pytest.mark.parametrize(
    "text",
    [
        'import one from "./part.js";\n',
        'import * as all from "./part.js";\n',
        "export default 1;\n",
        "export { one };\n",
    ],
)
def test_a_form_that_bundles_do_not_know_is_refused_by_name(text: str) -> None:
    with pytest.raises(BundleError, match=r"js/odd\.js"):
        bundled_script("js/odd.js", (MODULES | {"js/odd.js": text}).__getitem__)


def test_sheets_keep_their_order_and_lose_their_comments() -> None:
    sheets = {"a.css": "/* one\n * two */\n@layer a, b;\n", "b.css": "@layer b {\n  p { color: red; }\n}\n"}
    assert bundled_styles(["a.css", "b.css"], sheets.__getitem__) == "@layer a, b;\n@layer b {\np { color: red; }\n}\n"


def test_all_parts_of_all_bundles_exist_and_can_be_put_together() -> None:
    for parts in STYLES.values():
        text = bundled_styles(parts, real)
        assert text.count("{") == text.count("}")
        # A bundle lies where its parts lie, but an address in a sheet would have to be looked after.
        assert "url(" not in text
    for entry in SCRIPTS.values():
        assert "rating_saver" in bundled_script(entry, real)


def test_single_files_are_named_while_debug_is_on_and_one_bundle_otherwise() -> None:
    with override_settings(DEBUG=True):
        assert bundle_styles("css/rating-page.css").count("<link") == len(STYLES["css/rating-page.css"])
        assert "js/rating.js" in bundle_script("js/rating-page.js")
    with override_settings(DEBUG=False):
        assert bundle_styles("css/rating-page.css").count("<link") == 1
        assert "js/rating-page.js" in bundle_script("js/rating-page.js")

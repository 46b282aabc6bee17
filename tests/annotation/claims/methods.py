"""What each sentence of a methods text claims, checked by SQL of its own.

`check_methods` knows every sentence there is: one that fits no claim fails. The claims stand in modules of the
paragraphs' names.
"""

from annotation.design.methods import paragraphs
from annotation.models import Study
from tests.annotation.claims import analyses, items, people, record
from tests.annotation.claims.registry import CLAIMS

MODULES = (items, people, record, analyses)


def check_methods(study: Study) -> None:
    """Every sentence of the study's methods text holds, and none is of an unknown kind."""
    for paragraph in paragraphs(study):
        for sentence in paragraph:
            fitting = [(found, claim) for pattern, claim in CLAIMS if (found := pattern.fullmatch(sentence))]
            assert len(fitting) == 1, (len(fitting), sentence)
            found, claim = fitting[0]
            claim(study.pk, *found.groups())

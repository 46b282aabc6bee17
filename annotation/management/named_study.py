"""Commands name a study by its name or number."""

from django.core.management.base import CommandError

from annotation.models import Study
from core.numbers import whole_number


def named_study(name: str) -> Study:
    """The study with this name, or else this number; raises CommandError that lists the studies."""
    study = Study.objects.filter(name=name).first()
    if study is None and (key := whole_number(name)) is not None:
        study = Study.objects.filter(pk=key).first()
    if study is None:
        known = ", ".join(f"{pk} ({title})" for pk, title in Study.objects.values_list("pk", "name")[:10])
        raise CommandError(f"There is no study {name!r}. {f'Studies: {known}.' if known else 'No study exists yet.'}")
    return study

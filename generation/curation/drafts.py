"""The lock that every change of a draft goes through, and what to say when somebody was faster."""

from generation.models import ExampleSet


class StaleError(Exception):
    """Somebody changed it since the page was opened; nothing of this change was written."""


def locked_draft(example_set: ExampleSet) -> ExampleSet:
    """The row as it is now, held until the transaction ends; raises FrozenError, ExampleSet.DoesNotExist."""
    locked = ExampleSet.objects.select_for_update(no_key=True).get(pk=example_set.pk)
    locked.refuse_if_frozen()
    return locked

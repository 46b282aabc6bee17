"""The lock that every change of a draft goes through."""

from generation.models import ExampleSet


def locked_draft(example_set: ExampleSet) -> ExampleSet:
    """The row as it is now, held until the transaction ends; raises FrozenError, ExampleSet.DoesNotExist."""
    locked = ExampleSet.objects.select_for_update(no_key=True).get(pk=example_set.pk)
    locked.refuse_if_frozen()
    return locked

"""What testers answered at the end of a study of chats, from the database."""

from collections.abc import Collection

from annotation.models import Study, SystemPreference
from annotation.reports.scores import counted_members
from annotation.reports.system_preferences import Answer
from core.tables import Column, Table


def answers_of(members: Collection[int]) -> list[Answer]:
    """The last answer of each of these memberships."""
    return [
        Answer(one.first_id, one.second_id, None if one.choice == one.Choice.UNSAID else one.preferred or "")
        for one in SystemPreference.objects.last_of(members)
    ]


def answers_table(study: Study) -> Table:
    """Every tester's last answer with its comment, by pseudonym."""
    names = dict(study.versions.values_list("slug", "name"))
    members = counted_members(study)
    rows = tuple(
        (
            members[one.membership_id],
            one.choice,
            names.get(one.preferred or "", ""),
            names.get(one.first_id, one.first_id),
            names.get(one.second_id, one.second_id),
            one.comment,
            one.at.isoformat(),
        )
        for one in SystemPreference.objects.last_of(members)
    )
    labels = ("tester", "choice", "preferred", "met_first", "met_second", "comment", "at")
    return Table("preferences", "Preferences.", tuple(Column(label, numeric=False) for label in labels), rows)

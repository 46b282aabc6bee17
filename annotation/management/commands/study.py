"""`manage.py study …`: make, plan, remind, report, export and import studies, and fill their checklists."""

from annotation.management import study_bundle, study_checklists, study_plan, study_power
from annotation.management.commands import (
    create_study,
    export_ratings,
    import_ratings,
    remind,
    study_report,
)
from core.commands import Group


class Command(Group):
    help = (
        "Make a rating study, plan it, remind its raters, report, export and bundle what they said, import others' "
        "ratings."
    )
    verbs = {
        "checklists": study_checklists.Command,
        "create": create_study.Command,
        "plan": study_plan.Command,
        "power": study_power.Command,
        "remind": remind.Command,
        "report": study_report.Command,
        "export": export_ratings.Command,
        "bundle": study_bundle.Command,
        "import-ratings": import_ratings.Command,
    }

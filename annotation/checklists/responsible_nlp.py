"""Section D of the ACL's Responsible NLP Research checklist, on human annotators, filled from a study's record."""

from annotation.checklists.entries import Answer, Checklist, Question, filled, known_in_part
from annotation.design.flow import Flow
from annotation.design.methods import people, record
from annotation.models import Study

ABOUT = (
    "Section D of the Responsible NLP Research checklist of the ACL Rolling Review, which asks about human annotators "
    "and participants. Questions are paraphrased; each “yes” names the section of the paper."
)
QUESTIONS = (
    Question("D", "Did people annotate or take part?"),
    Question("D1", "Does the paper print the instructions that they were given?", "Yes with the section, or why not."),
    Question(
        "D2",
        "Does it say how they were recruited and paid, and whether that is adequate where they live?",
        "Who was asked, how, what they were paid, and whether that is adequate.",
    ),
    Question("D3", "Does it say whether and how they consented?", "Whether they consented, to what, and how."),
    Question(
        "D4", "Did an ethics review board approve the collection, or exempt it?", "The board, or that there was none."
    ),
    Question(
        "D5",
        "Does it describe the annotators’ demography and geography?",
        "Their age, gender, country and first language, as far as you know.",
    ),
)


def responsible_nlp(study: Study, flow: Flow) -> Checklist:
    pay = " ".join(record.recruitment(study))
    answers = {
        "D": Answer(_people(study, flow)),
        "D1": known_in_part(_instructions(study), "Print these, with a screenshot, and name the section."),
        "D2": known_in_part(pay, "Whether that is adequate where they live; name the section."),
        "D3": Answer() if study.is_imported else Answer(" ".join(record.consent(study)), "Name the section."),
        "D4": known_in_part(study.approval_number, "Name the board and the section."),
    }
    parts = (("D Human annotators", filled(QUESTIONS, answers)),)
    return Checklist("responsible-nlp", "Responsible NLP Research checklist, section D", ABOUT, parts)


def _people(study: Study, flow: Flow) -> str:
    if study.is_simulated:
        return "No. The ratings are simulated."
    return f"Yes. {' '.join(people.raters(study, flow))}" if flow.joined else people.NOBODY


def _instructions(study: Study) -> str:
    texts = {"Guidelines": study.guidelines, "Consent text": study.consent_text}
    return "\n".join(f"{label}: {text}" for label, text in texts.items() if text)

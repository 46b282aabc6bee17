"""The questions of the Human Evaluation Datasheet, version 3.0 (Belz and Thomson 2025), in our own words. Pure.

Numbers and fields are those of the form at https://nlp-heds.github.io. Questions 2.1 to 2.5 and those whose options the
record cannot choose among have no field here: whoever fills the form ticks them.
"""

from collections.abc import Mapping

from annotation.checklists.entries import Question

PAPER = "heds-paper_and_resources"
PERSON = f"{PAPER}-names_and_affiliations-person_completing_this_sheet"
CONTACT = f"{PAPER}-names_and_affiliations-contact_author"
SAMPLE = "heds-sample_evaluators_design-sample"
EVALUATORS = "heds-sample_evaluators_design-evaluators"
DESIGN = "heds-sample_evaluators_design-experimental_design"
MODE = "heds-criteria-criterion-evaluation_mode"
ASKED = "heds-criteria-criterion-response_elicitation"
ETHICS = "heds-ethics"

ONCE: Mapping[str, tuple[Question, ...]] = {
    "1 Main reference and resources": (
        Question("1.1.1", "What is the main reference?", "Link the paper, or say preregistration or unpublished."),
        Question("1.1.2", "Which experiment is this sheet for?", "", f"{PAPER}-paper-experiment_identification"),
        Question(
            "1.2", "Where are the experiment’s resources?", "Link where you publish the study’s files, if you do."
        ),
        Question("1.3.1.1", "Who is filling in this sheet?", "Your name.", f"{PERSON}-name"),
        Question("1.3.1.2", "What is that person’s affiliation?", "Your affiliation.", f"{PERSON}-affiliation"),
        Question("1.3.1.3", "What is that person’s email address?", "Your address.", f"{PERSON}-email"),
        Question("1.3.2.1", "Who is the contact author?", "The name.", f"{CONTACT}-name"),
        Question("1.3.2.2", "What is the contact author’s affiliation?", "The affiliation.", f"{CONTACT}-affiliation"),
        Question("1.3.2.3", "What is the contact author’s email address?", "The address.", f"{CONTACT}-email"),
    ),
    "2 Evaluated systems": (
        Question("2.1", "What do the systems take as input?", "For each version what its writer was given."),
        Question("2.2", "What do the systems produce?"),
        Question("2.3", "What task do the systems perform?", "How input becomes output, such as dialogue generation."),
        Question("2.4", "In which languages is the input?", "The languages, as ISO 639-1 names them, or N/A."),
        Question("2.5", "In which languages is the output?", "The languages, as ISO 639-1 names them."),
    ),
    "3.1 Sample of outputs": (
        Question("3.1.1", "How many outputs of each system are evaluated?", "", f"{SAMPLE}-number_of_system_outputs"),
        Question(
            "3.1.2",
            "How are outputs selected?",
            "How the rated dialogues were chosen.",
            f"{SAMPLE}-system_output_selection",
        ),
        Question(
            "3.1.3.1",
            "By which method was the statistical power computed?",
            "The method, or N/A if there was no power analysis.",
            f"{SAMPLE}-statistical_power-method",
        ),
        Question(
            "3.1.3.2", "What is the statistical power?", "The value, or N/A.", f"{SAMPLE}-statistical_power-value"
        ),
        Question(
            "3.1.3.3",
            "Where is the code of the power analysis?",
            "A link, or N/A.",
            f"{SAMPLE}-statistical_power-script",
        ),
    ),
    "3.2 Evaluators": (
        Question(
            "3.2.1", "How many evaluators’ ratings do the results rest on?", "", f"{EVALUATORS}-number_of_evaluators"
        ),
        Question("3.2.2.1", "Are they experts in the domain?", "Yes, no, or why it does not apply."),
        Question("3.2.2.2", "Were they paid?", "Whether and how they were paid."),
        Question("3.2.2.3", "Did the authors know any of them before?", "Yes or no."),
        Question("3.2.2.4", "Were any of the researchers among them?", "Yes or no."),
        Question("3.2.3", "How were they recruited?", "Who was asked, and how.", f"{EVALUATORS}-recruitment_method"),
        Question(
            "3.2.4",
            "What training or practice did they get?",
            "What they were told and practised before they began.",
            f"{EVALUATORS}-training_practice",
        ),
        Question(
            "3.2.5",
            "Which other characteristics do they have?",
            "What you know of their age, gender, education, country and first language, with numbers.",
            f"{EVALUATORS}-characteristics",
        ),
    ),
    "3.3 Experimental design": (
        Question("3.3.1", "Was the design preregistered?", "Yes with a link, or no."),
        Question("3.3.2", "By what medium were responses collected?", "The medium.", f"{DESIGN}-collection_method"),
        Question(
            "3.3.3.1",
            "Which kinds of quality assurance were used?",
            "The record has none: what else was done, or none.",
            f"{DESIGN}-quality_assurance-method",
        ),
        Question(
            "3.3.3.2",
            "What was done in each of these ways?",
            "The methods, or N/A.",
            f"{DESIGN}-quality_assurance-description",
        ),
        Question(
            "3.3.4.1",
            "Where can the form be seen?",
            "Link a screenshot; “See what raters see” on the page of the design shows the form.",
            f"{DESIGN}-what_evaluators_see-link",
        ),
        Question(
            "3.3.4.2",
            "What do evaluators see while they evaluate?",
            "What the form showed.",
            f"{DESIGN}-what_evaluators_see-description",
        ),
        Question(
            "3.3.5",
            "How free are they to choose when and how fast they work?",
            "Which limits there were.",
            f"{DESIGN}-evaluator_freedom",
        ),
        Question(
            "3.3.6",
            "Can they ask questions or give feedback?",
            "Whom they could ask, and how.",
            f"{DESIGN}-evaluators_can_ask_questions",
        ),
        Question(
            "3.3.7",
            "Under which conditions do they work?",
            "At a place of their own choosing, in a lab, or in a real-life situation.",
        ),
        Question(
            "3.3.8",
            "How do these conditions differ between evaluators?",
            "What may differ, or N/A.",
            f"{DESIGN}-evaluators_place_of_choosing",
        ),
    ),
}
OF_EACH_CRITERION: tuple[Question, ...] = (
    Question("4.1.1", "What type of quality is it?", "Correctness, goodness, or a feature."),
    Question("4.1.2", "Which aspect of the output is it about?", "Form, content, or both."),
    Question(
        "4.1.3", "In relation to what is quality judged?", "The output by itself, its input, or something external."
    ),
    Question("4.2.1", "Is the judgement objective or subjective?", "", f"{MODE}-objective_or_subjective"),
    Question("4.2.2", "Is it absolute or relative?", "", f"{MODE}-absolute_or_relative"),
    Question("4.2.3", "Is the evaluation intrinsic or extrinsic?", "", f"{MODE}-intrinsic_or_extrinsic"),
    Question("4.3.1.1", "What name do evaluators see for it?", "", f"{ASKED}-qc_name-participant_criterion_name"),
    Question(
        "4.3.1.2",
        "Which standardised criterion is that?",
        "Its name in a standard set, such as QCET.",
        f"{ASKED}-qc_name-mapped_criterion_name",
    ),
    # The form's own spelling.
    Question(
        "4.3.2",
        "How is it defined for evaluators?",
        "The definition in the words that evaluators read.",
        f"{ASKED}-participant_criterion_definiiton",
    ),
    Question("4.3.3", "How many points does the scale have?", "", f"{ASKED}-size_of_scale"),
    Question("4.3.4", "Which values are possible?", "", f"{ASKED}-list_or_range"),
    Question("4.3.5", "How is the scale presented?", "How it was presented.", f"{ASKED}-scale_presented_as"),
    Question("4.3.6", "If there is no scale, what is the task?", "", f"{ASKED}-task_description"),
    Question("4.3.7", "What exactly are evaluators asked?", "The words that they read.", f"{ASKED}-verbatim_question"),
    Question("4.3.8", "In what form do they respond?", "", f"{ASKED}-form_of_response"),
    Question("4.3.9", "How are responses aggregated?", "", f"{ASKED}-response_aggregation"),
    Question("4.3.10", "How are effect size and significance found?", "", f"{ASKED}-effect_size_method"),
    Question("4.3.11.1", "How is agreement between evaluators measured?", "", f"{ASKED}-inter_annotator-agreement"),
    Question(
        "4.3.11.2",
        "What is the agreement between evaluators?",
        "The value, once two evaluators have rated the same.",
        f"{ASKED}-inter_annotator-agreement_score",
    ),
    Question(
        "4.3.12.1",
        "How is an evaluator’s agreement with themselves measured?",
        "How, or IntraAA not assessed.",
        f"{ASKED}-intra_annotator-intra_annotator_agreement",
    ),
    Question(
        "4.3.12.2",
        "What is an evaluator’s agreement with themselves?",
        "The value, or IntraAA not assessed.",
        f"{ASKED}-intra_annotator-intra_annotator_agreement_score",
    ),
)
LAST: Mapping[str, tuple[Question, ...]] = {
    "5 Ethics": (
        Question(
            "5.1",
            "Which ethics committee approved the experiment?",
            "The committee, or that no approval was obtained.",
            f"{ETHICS}-review_body",
        ),
        Question(
            "5.2", "Do outputs or responses hold personal data (GDPR, Article 4)?", "Yes or no, and how it was handled."
        ),
        Question(
            "5.3", "Do they hold special categories of it (GDPR, Article 9)?", "Yes or no, and how it was handled."
        ),
        Question(
            "5.4",
            "Was an impact assessment made?",
            "Describe it, or say that there was none.",
            f"{ETHICS}-impact_assessments",
        ),
    ),
}

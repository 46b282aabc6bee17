"""The wording every installation starts with, one prompt a stage; editable and versioned in the product.

Each system text opens with a `Task:` line. It helps the model, and it is how the demo model knows the stage.
"""

from collections.abc import Mapping

from generation.prompts import PromptText, StageName

TASK_LINES: Mapping[StageName, str] = {
    "theme": "Task: theme",
    "pair": "Task: pair",
    "further_split": "Task: further-split",
    "judge": "Task: judge",
}

_THEME = PromptText(
    f"""{TASK_LINES["theme"]}
You read a dialogue between two people, person 1 and person 2, and note down what it is about. You answer with one \
JSON object and nothing else.""",
    """Here is the dialogue:

{dialogue}

What is known about the two people (null means nothing is known):

{traits}

1. Write the theme: 50 to 100 words of plain prose on what the two talk about, in which situation and in what mood. \
Describe; do not quote, list or rate. Someone who reads only the theme should be able to write another dialogue on it.
2. For each person who is null above, note about four traits that the dialogue shows, each a short sentence in the \
first person ("I work nights at a bakery."). For a person whose traits are given, leave the list empty.

Answer in this form:
{"theme": "…", "traits_1": ["…"], "traits_2": ["…"]}""",
)

_PAIR = PromptText(
    f"""{TASK_LINES["pair"]}
You write realistic chats between two people, person 1 and person 2, as friends or new acquaintances type them on \
their phones. You answer with one JSON object and nothing else.""",
    """There are two ways to chat.

SINGLE-STEP: a person packs the whole reply into one message, then waits. Nobody ever sends two messages in a row. \
Dialogues of this kind:

{single_step_examples}

STEP-BY-STEP: a person may send several short messages in a row before the other answers: a first reaction, then the \
thought itself, then perhaps a question. The number changes from turn to turn, as it does when people really chat. \
Dialogues of this kind:

{step_by_step_examples}

Write two new dialogues on this background, one of each kind:

{background}

- Both are about the theme, and what each person says fits that person's traits. Show the traits; do not recite them.
- Each has 8 to 16 turns, opens and closes naturally, and is not copied from an example.
- In the single-step dialogue the speakers alternate strictly, and messages are complete, usually 10 to 18 words.
- In the step-by-step dialogue most turns have two messages, some one, some three or four; a message usually has 4 to \
12 words. Do not merely cut a long reply at its full stops: each message must be something one would send by itself.

Answer in this form, with 1 or 2 as the speaker:
{"single_step": [{"speaker": 1, "text": "…"}, {"speaker": 2, "text": "…"}],
 "step_by_step": [{"speaker": 1, "text": "…"}, {"speaker": 1, "text": "…"}, {"speaker": 2, "text": "…"}]}""",
)

_FURTHER_SPLIT = PromptText(
    f"""{TASK_LINES["further_split"]}
You edit chats between two people, person 1 and person 2, so that they read like messages typed on a phone. You \
answer with one JSON object and nothing else.""",
    """Each example shows a step-by-step dialogue before and after editing:

{pairs}

Now edit this one:

{dialogue}

Go through it message by message. Where a message holds more than one reaction, thought or question, send them as \
separate messages, split where a person would pause and press send. Small changes of wording that make it more \
natural, more interesting and more engaging are welcome.

- Keep what is said: the same content in the same order by the same person. Invent nothing and leave nothing out.
- Leave short messages as they are. A turn usually ends with two or three messages, sometimes one, sometimes four or \
five.

Answer with the whole new dialogue in this form, with 1 or 2 as the speaker:
{"step_by_step": [{"speaker": 1, "text": "…"}, {"speaker": 1, "text": "…"}, {"speaker": 2, "text": "…"}]}""",
)

# What never changes stands first: providers bill a repeated beginning at less.
_JUDGE = PromptText(
    f"""{TASK_LINES["judge"]}
You are a careful reader. You score a chat between two people, Person A and Person B, on a list of questions. You \
answer with one JSON object and nothing else.""",
    """These are the questions. Each has a key, what it asks, and what the two ends of its scale mean:

{rubric}

- For every question give a whole number from 0 to 100: 0 is its low end, 100 its high end. Where a question speaks of \
the lowest point, that is 0.
- Answer each question by itself, and only from what is written in the dialogue.
- For every question say in one sentence why, pointing at something in the dialogue.

The two people and what they talk about:

{background}

The dialogue:

{dialogue}

Answer in this form, with the key of every question:
{"<key>": {"reason": "…", "score": 0}, "<next key>": {"reason": "…", "score": 0}}""",
)

DEFAULT_PROMPTS: Mapping[StageName, PromptText] = {
    "theme": _THEME,
    "pair": _PAIR,
    "further_split": _FURTHER_SPLIT,
    "judge": _JUDGE,
}

"""Hypothesis strategies for transcripts that a stage may write."""

from itertools import groupby

from hypothesis import strategies as st

from dialogues.transcript import Message, Transcript

# Whatever a database can hold, with what breaks careless readers more often than chance would bring it.
AWKWARD = [
    "{dialogue}",
    '"',
    "”",
    "```json",
    "</dialogue>",
    "<dialogue>\n[",
    "\\",
    "\n",
    "Person 2: hi",
    ",]",
    "🫠",
    "{}",
]
any_text = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=30),
    st.lists(st.sampled_from(AWKWARD), min_size=1, max_size=4).map(" ".join),
).filter(lambda text: text.strip() != "")


@st.composite
def transcripts(draw: st.DrawFn, longest_run: int = 4) -> Transcript:
    """At least four turns of up to `longest_run` messages."""
    runs = draw(st.lists(st.integers(1, longest_run), min_size=4, max_size=9))
    first = draw(st.sampled_from([1, 2]))
    messages = [
        Message(first if number % 2 == 0 else 3 - first, draw(any_text))
        for number, run in enumerate(runs)
        for _ in range(run)
    ]
    return Transcript(tuple(messages))


single_step = transcripts(longest_run=1)
step_by_step = transcripts().filter(lambda t: any(len(list(run)) > 1 for _, run in groupby(m.speaker for m in t)))

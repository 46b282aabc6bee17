"""Texts that a study starts with, until the researcher's own replace them, and the order plans in words. Pure."""

DEFAULT_GUIDELINES = """\
You will read short chats between two people, one at a time, and score each on a few questions.

Read the whole chat first, then the theme and the two characters that are shown with it. Score every question on its \
own: a chat may be natural and say little, or be rich in content and sound stiff.

Use the full scale. The words at both ends say what the lowest and the highest point mean; the points between are \
even steps. Where a practice chat shows the scores that were expected, read why; after that, give the scores that you \
find right. Other raters do not see your scores. The people who run the study can.

Judge what the two people say and how they say it to each other, not your liking for the subject. Spelling, capitals \
and spacing do not count.

Take breaks. Everything you choose is saved at once, and you can come back on any device and go on where you left. \
If a chat cannot be read or upsets you, flag it or skip it."""

CHAT_GUIDELINES = """\
You will chat with different partners, one chat after the other, and score each chat on a few questions when it is \
over.

With a chat you see its theme and your character. Play that character, and talk about the theme as two people would \
who write to each other on the phone. You may send several short messages in a row; your partner may do so, too. \
Write as you usually do: spelling does not count.

Do not write anything about yourself or others that must stay private: what you write is sent to a computer program \
and kept. Your character is all you need.

Go on until the chat has come to its end, or until the page says that it is over. Then score every question on its \
own: a chat may be natural and say little, or be rich in content and sound stiff. Use the full scale. The words at \
both ends say what the lowest and the highest point mean; the points between are even steps.

Judge what was said and how, not your liking for the subject. Other testers do not see your chats and scores. The \
people who run the study can.

Take breaks between two chats. Everything is saved at once, and you can come back on any device and go on where you \
left. If a chat upsets you, leave it."""

# Everything in square brackets must be replaced: a study with brackets in its consent text cannot be launched.
CONSENT_DRAFT = """\
[A draft to be adapted: fill in or take out every part in square brackets, have it approved, and delete this line.]

What this is about. You are invited to read written chats between two people and to answer questions about them. The \
study is done by [names] at [institution] to learn [what, in one sentence that gives nothing away].

What you will do. You will read about [number] chats, which takes about [number] minutes. You can stop and come back.

Whether you take part is your choice. You can stop at any time without giving a reason, and nothing follows from it. \
[Say what happens to pay when somebody stops.]

What could be unpleasant. The chats are about everyday subjects. If one upsets you, skip it or flag it.

What you get. [Pay, and how and when it comes; or that there is none.]

What is kept. Your scores and comments are kept with a made-up name. [Who can see them, how long they are kept, and \
whether they are published.] [Say what happens to your scores if you withdraw.]

Questions. Ask [name, address]. The study was approved by [board, number]. Complaints go to [address].

By going on you say that you are at least [age] years old, have read this, and agree to take part."""

CHAT_CONSENT_DRAFT = """\
[A draft to be adapted: fill in or take out every part in square brackets, have it approved, and delete this line.]

What this is about. You are invited to chat with computer programs on a page like a messenger, and to answer \
questions about each chat. The study is done by [names] at [institution] to learn [what, in one sentence that gives \
nothing away].

What you will do. You will have about [number] chats, which takes about [number] minutes. You can stop and come \
back.

Whether you take part is your choice. You can stop at any time without giving a reason, and nothing follows from it. \
[Say what happens to pay when somebody stops.]

What could be unpleasant. The chats are about everyday subjects, but nobody checks what a program writes before you \
read it. It may be wrong, or upset you; then leave the chat.

What you get. [Pay, and how and when it comes; or that there is none.]

What is kept. Your messages, when you wrote them, and your scores are kept with a made-up name. What you write is \
sent to [whose computers the programs run on, and where]. Do not write what must stay private. [Who can see the \
chats, how long they are kept, and whether they are published.] [Say what happens to your chats and scores if you \
withdraw.]

Questions. Ask [name, address]. The study was approved by [board, number]. Complaints go to [address].

By going on you say that you are at least [age] years old, have read this, and agree to take part."""


def usual_guidelines(*, has_chats: bool) -> str:
    """The guidelines that a study starts with."""
    return CHAT_GUIDELINES if has_chats else DEFAULT_GUIDELINES


def consent_draft(*, has_chats: bool) -> str:
    return CHAT_CONSENT_DRAFT if has_chats else CONSENT_DRAFT


_ROWS = (
    "The versions of a block come in a row of a Williams design: over its rows each version stands equally often at "
    "each place of a block and equally often after each other version. When a rater begins a block, they get the row "
    "that best evens out what all raters have been shown so far, so that later blocks mend what is missing where "
    "somebody stopped."
)
_APART = "Two versions of one background never come one after the other where that can be avoided."
ORDER_PLANS = {
    "crossed": (
        "Every rater is given every dialogue, in blocks that hold each version once, each of another background. "
        f"{_ROWS} {_APART} With fewer backgrounds than versions there are no such blocks, and every rater has a seeded "
        "shuffle of their own."
    ),
    "slots": (
        "Every dialogue has a fixed number of slots, and a rater takes one free slot after the other, in blocks of "
        f"one dialogue a version. {_ROWS} Of the version whose turn it is they take the next free dialogue on a path "
        "of their own through the study's seeded shuffle; where none is left, near the end, another version stands in. "
        f"{_APART} A slot that is left goes to another rater, so no dialogue gets more than its number."
    ),
    "chats": (
        "Every system has a fixed number of chats about every background, each with another tester. The systems of a "
        "block come in a row of a Williams design: over its rows each system stands equally often at each place of a "
        "block and equally often after each other system. When a tester begins a block, they get the row that best "
        "evens out what all testers have had so far. Of the system whose turn it is they take the next background that "
        "is free, on a path of their own through the study's seeded shuffle; two chats about one background never come "
        "one after the other where that can be avoided. A place that is left goes to another tester, so no system "
        "has more than its number of chats about a background."
    ),
    "pairs": (
        "Each pair of versions that is compared counts as one version here. Sides are counterbalanced within each "
        "rater: which version of a pair stands left first is drawn for each rater and pair, and the sides change from "
        "one block to the next, so that each stands left about as often."
    ),
}


def order_plan(raters_per_item: int | None, *, compares: bool, has_chats: bool = False) -> str:
    """How dialogues, or chats, are ordered, in words for researchers and readers."""
    if has_chats:
        return ORDER_PLANS["chats"]
    plan = ORDER_PLANS["crossed" if raters_per_item is None else "slots"]
    return f"{plan} {ORDER_PLANS['pairs']}" if compares else plan

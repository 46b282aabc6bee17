"""Who speaks where a file names roles: people are speaker 1, and the programs that answer them speaker 2."""

SIDES = {"user": 1, "assistant": 2}
PERSON, PROGRAM = SIDES

# What files call the two, and which messages are no part of what they say to each other.
_PEOPLE = frozenset({"user", "human", "person", "prompter", "customer"})
_PROGRAMS = frozenset(
    {"assistant", "gpt", "chatgpt", "bot", "chatbot", "ai", "model", "bing", "bard", "claude", "gemini", "llm", "agent"}
)
SYSTEM = "system"
_BESIDE = frozenset(
    {"developer", "tool", "tools", "function", "function_call", "function_response", "tool_call", "tool_response"}
    | {"observation", "ipython", "context"}
)


def role_of(name: object) -> str:
    """`user`, `assistant`, `system`, the name itself if its messages are set aside, or "" if it is unknown."""
    role = name.strip().lower() if isinstance(name, str) else ""
    if role in _PEOPLE:
        return PERSON
    if role in _PROGRAMS:
        return PROGRAM
    return role if role == SYSTEM or role in _BESIDE else ""

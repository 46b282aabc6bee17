"""The text of a message that a JSON file gives as a text or in parts, and what stands beside it."""

from collections import Counter

# Types of parts whose text is what was said.
_SAID = frozenset({"text", "input_text", "output_text"})
_KINDS = {
    "image": "images",
    "image_url": "images",
    "input_image": "images",
    "input_audio": "audio",
    "audio": "audio",
    "video": "videos",
    "file": "files",
    "input_file": "files",
    "refusal": "refusals",
    "thinking": "thoughts",
    "reasoning": "thoughts",
    "tool_use": "tool_calls",
    "tool_call": "tool_calls",
    "tool_result": "tool_results",
}


def text_of(content: object, tally: Counter[str]) -> str | None:
    """What was said, without white space around it; None if the content is neither text nor parts.

    Parts that are no text are counted by kind, as `images_set_aside`.
    """
    if content is None:
        return ""
    if isinstance(content, str):
        return content.strip()
    if not isinstance(content, list):
        return None
    return "".join(_of_part(part, tally) for part in content).strip()


def _of_part(part: object, tally: Counter[str]) -> str:
    if isinstance(part, str):
        return part
    kind = str(part.get("type") or "text") if isinstance(part, dict) else ""
    if isinstance(part, dict) and kind in _SAID and isinstance(part.get("text"), str):
        return str(part["text"])
    tally[f"{_KINDS.get(kind, 'other_parts')}_set_aside"] += 1
    return ""

"""Run in the environment for fine-tuning: prints what the proof says of several templates, as JSON."""

import json
import sys
from pathlib import Path

from transformers import AutoTokenizer
from trl import chat_template_utils

from generation.training.finetune import from_config, proof, templates
from generation.training.finetune.base import SIZES
from generation.training.finetune.data import Row
from generation.training.finetune.refusals import RefusedError

REPLIES = ["Hello there.<|msg|>How are you?", "Fine, é 😀."]
MESSAGES = [
    {"role": "system", "content": "Chat."},
    {"role": "user", "content": "Hi.<|msg|>You?"},
    {"role": "assistant", "content": REPLIES[0]},
    {"role": "user", "content": "And now?"},
    {"role": "assistant", "content": REPLIES[1]},
]
PLAIN = "{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>"
HEAD = PLAIN + "{% if m.role == 'assistant' %}"
TAIL = "{% else %}{{ m.content }}<|eot_id|>{% endif %}{% endfor %}"
TEMPLATES = {
    "llama3": chat_template_utils.llama3_training_chat_template,
    "exact": HEAD + "{% generation %}{{ m.content }}<|eot_id|>{% endgeneration %}" + TAIL,
    "no stop": HEAD + "{% generation %}{{ m.content }}{% endgeneration %}<|eot_id|>" + TAIL,
    "more": HEAD + "{% generation %}Reply: {{ m.content }}<|eot_id|>{% endgeneration %}" + TAIL,
    "everything": PLAIN + "{% generation %}{{ m.content }}<|eot_id|>{% endgeneration %}{% endfor %}",
    "cut": HEAD + "{% generation %}{{ m.content[:5] }}<|eot_id|>{% endgeneration %}" + TAIL,
}


def main(folder: Path) -> dict[str, object]:
    texts = [message["content"] for message in MESSAGES]
    from_config.make(SIZES["tiny"], texts, folder, 0)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    row = Row("d1/1", MESSAGES)
    said: dict[str, object] = {name: trained(tokenizer, template, row) for name, template in TEMPLATES.items()}
    same = [TEMPLATES[name] for name in ("llama3", "exact")]
    said["unmarked"] = [
        tokenizer.apply_chat_template(MESSAGES, tokenize=False, chat_template=templates.unmarked(one))
        == tokenizer.apply_chat_template(MESSAGES, tokenize=False, chat_template=one)
        and "generation %}" not in templates.unmarked(one)
        for one in same
    ]
    said["delimiter"] = tokenizer.decode(proof.require_delimiter(tokenizer, "<|msg|>"))
    tokenizer.chat_template = "{{ messages[0].content }}"
    said["unknown"] = refusal(templates.choose, tokenizer, "", "lora")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|msg|>"]})
    said["special delimiter"] = refusal(proof.require_delimiter, tokenizer, "<|msg|>")
    said["special text"] = refusal(proof.require_plain_texts, tokenizer, [row])
    return said


def trained(tokenizer: object, template: str, row: Row) -> str:
    try:
        encoded = proof.encoded(tokenizer, template, row)
    except RefusedError as error:
        return f"refused: {error}"
    return tokenizer.decode([label for label in encoded.labels if label != proof.IGNORED])  # type: ignore[attr-defined, no-any-return]


def refusal(act: object, *given: object) -> str:
    try:
        act(*given)  # type: ignore[operator]
    except RefusedError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))

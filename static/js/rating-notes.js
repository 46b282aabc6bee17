// A note on each question, and the numbers of the messages that led to its score.

import { tell } from "./words.js";

function field(question, name) {
  return question.querySelector(`[name="${name}-${question.dataset.question}"]`);
}

// The message numbers that a question's field names, sorted, each once.
export function numbers(question) {
  const found = field(question, "evidence").value.match(/\d+/g) ?? [];
  return [...new Set(found.map(Number))].sort((one, other) => one - other);
}

export function setNumbers(question, chosen) {
  field(question, "evidence").value = chosen.join(", ");
}

// Mark a closed note that is not empty.
export function tellNote(question) {
  const count = numbers(question).length;
  const isWritten = Boolean(field(question, "comment").value.trim());
  const marked = isWritten ? tell(": written, {count} marked", { count }) : tell(": {count} marked", { count });
  question.querySelector("[data-noted]").textContent = count ? marked : isWritten ? tell(": written") : "";
}

// Notes and evidence by metric, places counted from 0 as the server keeps them.
export function readNotes(questions) {
  const comments = {};
  const evidence = {};
  for (const question of questions) {
    const key = question.dataset.question;
    const text = field(question, "comment").value;
    if (text.trim()) {
      comments[key] = text;
    }
    const marked = numbers(question);
    if (marked.length) {
      evidence[key] = marked.map((number) => number - 1);
    }
  }
  return { comments, evidence };
}

export function writeNotes(questions, { comments = {}, evidence = {} }) {
  for (const question of questions) {
    const key = question.dataset.question;
    field(question, "comment").value = comments[key] ?? "";
    setNumbers(question, (evidence[key] ?? []).map((place) => place + 1));
    tellNote(question);
  }
}

export function openNote(question) {
  question.querySelector("details").open = true;
  field(question, "comment").focus();
}

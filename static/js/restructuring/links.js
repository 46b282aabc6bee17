// The original beside the draft: which message became which, and, on request, which words changed.

import { tell } from "../words.js";
import { wordDiff } from "./words.js";

const PAUSE = 150;
const MARKS = { gone: "del", new: "ins" };

export class Links {
  // `focus(place)` puts the caret into a message of the draft.
  constructor(section, original, pieces, { focus }) {
    this.section = section;
    this.original = original;
    this.pieces = pieces;
    this.bubbles = [...section.querySelectorAll("[data-original]")];
    this.isDiffShown = false;
    section.addEventListener("click", (event) => {
      const place = this.bubbles.indexOf(event.target.closest("[data-original]"));
      const first = pieces.shown.findIndex((piece) => piece.sources.includes(place));
      if (place >= 0 && first >= 0) {
        focus(first);
      }
    });
  }

  // Mark what a message came from, and everything else that came from there.
  mark(place) {
    const sources = new Set(this.pieces.shown[place]?.sources);
    this.bubbles.forEach((bubble, number) => bubble.toggleAttribute("data-linked", sources.has(number)));
    this.pieces.shown.forEach((piece, number) => {
      const linked = piece.sources.some((source) => sources.has(source));
      this.pieces.items[number].toggleAttribute("data-linked", linked);
    });
    this.quote(place, sources);
    const first = this.bubbles.find((bubble) => bubble.hasAttribute("data-linked"));
    if (first && this.section.scrollHeight > this.section.clientHeight) {
      this.section.scrollTop += first.getBoundingClientRect().top - this.section.getBoundingClientRect().top - 96;
    }
  }

  // If there is no room beside the draft, the message with the caret shows its original.
  quote(place, sources) {
    this.note ??= Object.assign(document.createElement("p"), { className: "piece-source", dir: "auto" });
    const text = [...sources].map((source) => this.original[source].text).join(" ");
    this.note.textContent = tell("Original: {text}", { text });
    if (sources.size) {
      this.pieces.items[place].append(this.note);
    } else {
      this.note.remove();
    }
  }

  follow(draft) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.show(draft), PAUSE);
  }

  toggleDiff(draft) {
    this.isDiffShown = !this.isDiffShown;
    this.show(draft);
    return this.isDiffShown;
  }

  show(draft) {
    const texts = this.original.map(() => []);
    draft.forEach(({ sources, text }) => sources[0] !== undefined && texts[sources[0]].push(text));
    const kept = new Set(draft.flatMap((piece) => piece.sources));
    this.bubbles.forEach((bubble, place) => {
      bubble.toggleAttribute("data-lost", !kept.has(place));
      bubble.parentElement.querySelector(`[data-lost-note="${place}"]`).hidden = kept.has(place);
      this.write(bubble, this.original[place].text, texts[place].join(" "));
    });
  }

  write(bubble, before, after) {
    const parts = this.isDiffShown ? wordDiff(before, after) : [["same", before]];
    const key = JSON.stringify(parts);
    if (bubble.dataset.parts !== key) {
      bubble.dataset.parts = key;
      bubble.replaceChildren(...parts.flatMap(([kind, text]) => [marked(kind, text), " "]).slice(0, -1));
    }
  }
}

function marked(kind, text) {
  if (!MARKS[kind]) {
    return text;
  }
  const mark = document.createElement(MARKS[kind]);
  mark.textContent = text;
  return mark;
}

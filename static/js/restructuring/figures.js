// The live figures: what each change does to the dialogue's measures, beside the original's and the paper's.

import { keptShare, wordsOf } from "./words.js";

const PAUSE = 120;
const LONGEST_RUN = 6;
const counted = new WeakMap();

function wordCount(piece) {
  if (!counted.has(piece)) {
    counted.set(piece, wordsOf(piece.text).length);
  }
  return counted.get(piece);
}

// Messages per turn and their shares, in one pass over the draft.
export function measure(original, draft) {
  const runs = [];
  draft.forEach((piece, place) => {
    if (place && draft[place - 1].speaker === piece.speaker) {
      runs[runs.length - 1] += 1;
    } else {
      runs.push(1);
    }
  });
  const words = draft.reduce((sum, piece) => sum + wordCount(piece), 0);
  const found = {
    messages: draft.length,
    words_per_message: words / draft.length,
    acmc: draft.length / runs.length,
    kept: 100 * keptShare(original, draft),
  };
  for (let length = 1; length <= LONGEST_RUN; length += 1) {
    const such = runs.filter((run) => (length === LONGEST_RUN ? run >= length : run === length));
    found[`turns_of_${length}`] = (100 * such.length) / runs.length;
  }
  return found;
}

const DIGITS = { messages: 0, kept: 1, words_per_message: 2, acmc: 2 };

export class Figures {
  constructor(cells, original) {
    this.cells = Map.groupBy(cells, (cell) => cell.dataset.figure);
    this.original = original;
  }

  // After the page has shown the change itself.
  follow(draft) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.show(draft), PAUSE);
  }

  show(draft) {
    for (const [name, value] of Object.entries(measure(this.original, draft))) {
      const text = value.toFixed(DIGITS[name] ?? 1);
      for (const cell of this.cells.get(name) ?? []) {
        if (cell.textContent !== text) {
          cell.textContent = text;
        }
      }
    }
  }
}

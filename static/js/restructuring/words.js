// Words, how many of them a text keeps in order, and which ones changed. Follows dialogues/fidelity.py.

import { SPACES } from "./editing.js";

const remembered = new WeakMap();

// What counts as a word in comparisons: letters and digits, case-folded.
const bare = (word) => word.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");

export function wordsOf(text) {
  return text.split(SPACES).filter(Boolean);
}

// The word that a cut before the `offset`-th character (code points) goes through; "" if it falls between words.
// Not every language puts spaces between words, so ask the browser for the word boundaries.
export function wordCut(text, offset) {
  const at = Array.from(text).slice(0, offset).join("").length;
  const found = new Intl.Segmenter(undefined, { granularity: "word" }).segment(text).containing(at);
  return found?.isWordLike && found.index < at ? found.segment : "";
}

// The words of a piece with their speaker, computed once.
function spoken(piece) {
  if (!remembered.has(piece)) {
    const words = wordsOf(piece.text).map(bare).filter(Boolean);
    remembered.set(piece, words.map((word) => `${piece.speaker} ${word}`));
  }
  return remembered.get(piece);
}

// Length of the longest common subsequence, bit by bit: one step for each word of `right` (Hyyrö 2004).
function commonLength(left, right) {
  const places = new Map();
  left.forEach((word, index) => places.set(word, (places.get(word) ?? 0n) | (1n << BigInt(index))));
  const everything = (1n << BigInt(left.length)) - 1n;
  let row = everything;
  for (const word of right) {
    const matches = row & (places.get(word) ?? 0n);
    row = ((row + matches) | (row - matches)) & everything;
  }
  return left.length - (row.toString(2).match(/1/g)?.length ?? 0);
}

// A draft with every cut undone.
function joined(draft) {
  const found = [];
  for (const piece of draft) {
    if (piece.lead == null) {
      found.push(piece);
    } else {
      const above = found.pop();
      found.push({ speaker: above.speaker, text: above.text + piece.lead + piece.text });
    }
  }
  return found;
}

// Share of the original's words, 0–1, that the draft keeps in order.
export function keptShare(original, draft) {
  const texts = (pieces) => pieces.map((piece) => `${piece.speaker} ${piece.text.trim()}`);
  const after = joined(draft);
  let left = original.flatMap(spoken);
  let right = after.flatMap(spoken);
  left = left.length ? left : texts(original);
  right = right.length ? right : texts(after);
  return commonLength(left, right) / left.length;
}

// What became of a text, word by word: [["same" | "gone" | "new", words], …].
export function wordDiff(before, after) {
  const left = wordsOf(before);
  const right = wordsOf(after);
  const rows = Array.from({ length: left.length + 1 }, () => new Uint32Array(right.length + 1));
  for (let i = left.length - 1; i >= 0; i -= 1) {
    for (let j = right.length - 1; j >= 0; j -= 1) {
      rows[i][j] = left[i] === right[j] ? rows[i + 1][j + 1] + 1 : Math.max(rows[i + 1][j], rows[i][j + 1]);
    }
  }
  const parts = [];
  const add = (kind, word) =>
    parts.at(-1)?.[0] === kind ? parts.at(-1)[1].push(word) : parts.push([kind, [word]]);
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      add("same", left[i]);
      [i, j] = [i + 1, j + 1];
    } else if (j >= right.length || (i < left.length && rows[i + 1][j] >= rows[i][j + 1])) {
      add("gone", left[i]);
      i += 1;
    } else {
      add("new", right[j]);
      j += 1;
    }
  }
  return parts.map(([kind, words]) => [kind, words.join(" ")]);
}

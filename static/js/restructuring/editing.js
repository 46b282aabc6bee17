// What each operation does to a draft: dialogues/editing.py for the browser. A test compares the two
// implementations. A piece is { speaker, text, sources, lead }; pieces and drafts are never changed in place.

import { tell } from "../words.js";

const MOST_PIECES = 2000;
const LONGEST_TEXT = 20000;
const SPACE = "\\t\\n\\v\\f\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const LEADING = new RegExp(`^[${SPACE}]+`);
const TRAILING = new RegExp(`[${SPACE}]+$`);

export const SPACES = new RegExp(`[${SPACE}]+`);

export class EditError extends Error {}

export const trimStart = (text) => text.replace(LEADING, "");
export const trimEnd = (text) => text.replace(TRAILING, "");
export const trim = (text) => trimEnd(trimStart(text));

// Characters as the log counts them: code points.
export const lengthOf = (text) => Array.from(text).length;

export function begin(original) {
  return original.map(([speaker, text], place) => ({ speaker, text, sources: [place], lead: null }));
}

function refuse(sentence, values) {
  throw new EditError(tell(sentence, values));
}

function pieceAt(draft, at) {
  return draft[at] ?? refuse("There is no message {number} in this draft.", { number: at + 1 });
}

function replaced(draft, at, count, ...pieces) {
  return [...draft.slice(0, at), ...pieces, ...draft.slice(at + count)];
}

// The draft with the piece at a place no longer cut from the piece above it.
function loosened(draft, at) {
  return draft[at]?.lead == null ? draft : replaced(draft, at, 1, { ...draft[at], lead: null });
}

function checked(text) {
  if (!trim(text)) {
    refuse("This cannot be a message: text is empty.");
  }
  if (text.includes("\0") || !text.isWellFormed()) {
    refuse("This cannot be a message: it holds a character that cannot be stored.");
  }
  if (lengthOf(text) > LONGEST_TEXT) {
    const most = LONGEST_TEXT.toLocaleString("en");
    refuse("This cannot be a message: text is longer than {most} characters.", { most });
  }
  return text;
}

// The white space between the parts if together they are the text; otherwise null.
function gaps(text, parts) {
  const found = [];
  let rest = text;
  for (const part of parts) {
    const gap = rest.slice(0, rest.length - trimStart(rest).length);
    if (!rest.startsWith(part, gap.length)) {
      return parts.slice(1).map(() => null);
    }
    found.push(gap);
    rest = rest.slice(gap.length + part.length);
  }
  return found.slice(1);
}

const CHANGES = {
  split(draft, { at, offset }) {
    const piece = pieceAt(draft, at);
    const letters = Array.from(piece.text);
    if (offset < 0 || offset > letters.length) {
      refuse("Message {number} has no character {offset}.", { number: at + 1, offset });
    }
    const head = trimEnd(letters.slice(0, offset).join(""));
    const tail = trimStart(letters.slice(offset).join(""));
    if (!trim(head) || !trim(tail)) {
      refuse("There is nothing to split off here: put the caret between two words.");
    }
    const lead = piece.text.slice(head.length, piece.text.length - tail.length);
    return replaced(draft, at, 1, { ...piece, text: head }, { ...piece, text: tail, lead });
  },

  merge(draft, { at }) {
    const piece = pieceAt(draft, at);
    const above = draft[at - 1] ?? refuse("This is the first message: there is none above it to merge with.");
    if (above.speaker !== piece.speaker) {
      refuse("The message above is the other speaker’s: only messages of one speaker can be merged.");
    }
    const text = checked(above.text + (piece.lead ?? " ") + piece.text);
    const sources = [...new Set([...above.sources, ...piece.sources])].sort((a, b) => a - b);
    return replaced(draft, at - 1, 2, { ...above, text, sources });
  },

  move(draft, { at, to }) {
    const piece = pieceAt(draft, at);
    if (to < 0 || to >= draft.length || to === at) {
      refuse("The message cannot be moved any further.");
    }
    const rest = loosened(replaced(draft, at, 1), at);
    return loosened(replaced(rest, to, 0, { ...piece, lead: null }), to + 1);
  },

  reword(draft, { at, text }) {
    return replaced(draft, at, 1, { ...pieceAt(draft, at), text: checked(trim(text)) });
  },

  insert(draft, { at, speaker, text }) {
    if (at < 0 || at > draft.length) {
      refuse("There is no place {number} in this draft.", { number: at + 1 });
    }
    return replaced(loosened(draft, at), at, 0, { speaker, text: checked(trim(text)), sources: [], lead: null });
  },

  delete(draft, { at }) {
    pieceAt(draft, at);
    if (draft.length === 1) {
      refuse("The last message stays: a dialogue needs at least one.");
    }
    return loosened(replaced(draft, at, 1), at);
  },

  accept(draft, { at, texts }) {
    const piece = pieceAt(draft, at);
    const parts = texts.map((text) => checked(trim(text)));
    const leads = [piece.lead, ...gaps(piece.text, parts)];
    return replaced(draft, at, 1, ...parts.map((text, place) => ({ ...piece, text, lead: leads[place] })));
  },
};

export function change(draft, body) {
  const after = CHANGES[body.op](draft, body);
  if (after.length > MOST_PIECES) {
    refuse("A dialogue here has at most {most} messages.", { most: MOST_PIECES.toLocaleString("en") });
  }
  return after;
}

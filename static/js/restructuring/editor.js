// The editor: every way to change a draft, and what is said of each to those who cannot see it.

import { lengthOf } from "./editing.js";
import { caretOf } from "./pieces.js";
import { Writing } from "./writing.js";

export class Editor extends Writing {
  split() {
    const at = this.commit();
    const box = this.box;
    const offset = caretOf(box) - (lengthOf(box.value) - lengthOf(box.value.trimStart()));
    if (this.apply({ op: "split", at, offset }, `Split into messages ${at + 1} and ${at + 2}.`)) {
      this.pieces.focus(at + 1);
    }
  }

  merge(at = this.commit()) {
    const join = this.draft[at - 1] && lengthOf(this.draft[at - 1].text);
    if (this.apply({ op: "merge", at }, `Merged into message ${at}.`)) {
      this.pieces.focus(at - 1, join);
    }
  }

  mergeNext() {
    const at = this.commit();
    const join = lengthOf(this.draft[at].text);
    if (this.draft[at + 1] && this.apply({ op: "merge", at: at + 1 }, `Merged into message ${at + 1}.`)) {
      this.pieces.focus(at, join);
    }
  }

  move(by) {
    const at = this.commit();
    const caret = caretOf(this.box);
    if (this.apply({ op: "move", at, to: at + by }, `Moved to place ${at + by + 1}.`)) {
      this.pieces.focus(at + by, caret);
    }
  }

  // A new message below the current one, by the same speaker or the other.
  add(other = false) {
    const place = this.commit() + 1;
    const { speaker } = this.draft[place - 1];
    const by = other ? 3 - speaker : speaker;
    this.opened = { place, speaker: by, element: this.pieces.openNew(place, by) };
    this.box.focus();
    this.say(`New message below message ${place}.`);
  }

  remove() {
    if (this.opened) {
      this.dropNew();
      return this.pieces.focus(this.current, -1);
    }
    const at = this.current;
    if (this.apply({ op: "delete", at }, "Message deleted; its content is lost unless you undo.")) {
      this.pieces.focus(Math.max(at - 1, 0), -1);
    }
    return undefined;
  }

  accept(at, texts, by) {
    const count = texts.length === 1 ? "1 message" : `${texts.length} messages`;
    this.apply({ op: "accept", at, texts, by }, `Accepted: ${count}.`);
  }

  undo(op = "undo") {
    this.commit();
    const before = this.draft;
    if (this.apply({ op }, op === "undo" ? "Undone." : "Done again.")) {
      const place = this.draft.findIndex((piece, index) => piece !== before[index]);
      this.pieces.focus(place < 0 ? this.draft.length - 1 : place, -1);
    }
  }
}

// The editor: every way to change a draft, and what a screen reader is told about each.

import { tell, tellCount } from "../words.js";
import { lengthOf } from "./editing.js";
import { caretOf } from "./pieces.js";
import { wordCut } from "./words.js";
import { Writing } from "./writing.js";

export class Editor extends Writing {
  split() {
    const at = this.commit();
    const box = this.box;
    const offset = caretOf(box) - (lengthOf(box.value) - lengthOf(box.value.trimStart()));
    const word = wordCut(this.draft[at]?.text ?? "", offset);
    const said = tell("Split into messages {first} and {second}.", { first: at + 1, second: at + 2 });
    if (this.apply({ op: "split", at, offset }, said)) {
      this.pieces.focus(at + 1);
      if (word) {
        const warning = tell("That cut is inside the word “{word}”. Undo it if you did not mean it.", { word });
        this.say(`${said} ${warning}`);
        this.warn(warning);
      }
    }
  }

  merge(at = this.commit()) {
    const join = this.draft[at - 1] && lengthOf(this.draft[at - 1].text);
    if (this.apply({ op: "merge", at }, tell("Merged into message {number}.", { number: at }))) {
      this.pieces.focus(at - 1, join);
    }
  }

  mergeNext() {
    const at = this.commit();
    const join = lengthOf(this.draft[at].text);
    const said = tell("Merged into message {number}.", { number: at + 1 });
    if (this.draft[at + 1] && this.apply({ op: "merge", at: at + 1 }, said)) {
      this.pieces.focus(at, join);
    }
  }

  move(by) {
    const at = this.commit();
    const caret = caretOf(this.box);
    if (this.apply({ op: "move", at, to: at + by }, tell("Moved to place {number}.", { number: at + by + 1 }))) {
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
    this.say(tell("New message below message {number}.", { number: place }));
  }

  remove() {
    if (this.opened) {
      this.dropNew();
      return this.pieces.focus(this.current, -1);
    }
    const at = this.current;
    if (this.apply({ op: "delete", at }, tell("Message deleted; its content is lost unless you undo."))) {
      this.pieces.focus(Math.max(at - 1, 0), -1);
    }
    return undefined;
  }

  accept(at, texts, by) {
    const said = tellCount("Accepted: {count} message.", "Accepted: {count} messages.", texts.length);
    this.apply({ op: "accept", at, texts, by }, said);
  }

  undo(op = "undo") {
    this.commit();
    const before = this.draft;
    if (this.apply({ op }, op === "undo" ? tell("Undone.") : tell("Done again."))) {
      const place = this.draft.findIndex((piece, index) => piece !== before[index]);
      this.pieces.focus(place < 0 ? this.draft.length - 1 : place, -1);
    }
  }
}

// Writing in a draft: what is typed becomes an operation, an emptied message a deleted one, a new one an added one.

import { tell } from "../words.js";
import { EditError, trim } from "./editing.js";

const TYPING_PAUSE = 400;

export class Writing {
  // `changed(draft)` is called on every change, `send(body)` stores it, `say(text)` announces it; `typing(whether)` is
  // told about text that is not yet an operation; `warning` is the element that shows what to check.
  constructor(history, pieces, { changed, send, say, typing, warning }) {
    Object.assign(this, { history, pieces, changed, send, say, typing, warning });
    this.current = 0;
    this.opened = null;
    pieces.show(history.draft);
    pieces.list.addEventListener("input", () => this.typed());
    pieces.list.addEventListener("focusin", (event) => this.enter(event.target));
    pieces.list.addEventListener("focusout", (event) => this.left(event));
  }

  get draft() {
    return this.history.draft;
  }

  get box() {
    return this.opened?.element.querySelector("textarea") ?? this.pieces.box(this.current);
  }

  enter(node) {
    const place = this.pieces.placeOf(node);
    this.current = place < 0 ? this.current : place;
  }

  // Take another history (a conflict was settled) and show it.
  replace(history) {
    this.history = history;
    this.isShowing = true;
    this.pieces.show(history.draft);
    this.isShowing = false;
    this.current = Math.min(this.current, this.draft.length - 1);
    this.changed(history.draft);
  }

  // Do one operation; if that is impossible, says why and returns false. `adopted`: the element of a new message.
  apply(body, announcement, adopted) {
    try {
      this.history.apply(body);
    } catch (error) {
      if (!(error instanceof EditError)) {
        throw error;
      }
      this.say(error.message);
      return false;
    }
    this.send(body);
    // Removed elements lose the caret, which must not look like a person leaving a message.
    this.isShowing = true;
    if (adopted) {
      this.pieces.adopt(adopted, body.at, this.draft[body.at]);
    }
    this.pieces.show(this.draft);
    this.isShowing = false;
    this.warn("");
    this.changed(this.draft);
    if (announcement) {
      this.say(announcement);
    }
    return true;
  }

  // Show a warning until the next operation.
  warn(text) {
    this.warning.textContent = text;
    this.warning.hidden = !text;
  }

  typed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.commit(), TYPING_PAUSE);
    this.typing(true);
  }

  // Turn typed text into an operation. Returns the place of the current message.
  commit() {
    clearTimeout(this.timer);
    this.typing(false);
    if (this.opened) {
      return this.commitNew();
    }
    const box = this.pieces.box(this.current);
    const text = box && trim(box.value);
    if (text && text !== this.draft[this.current].text) {
      this.apply({ op: "reword", at: this.current, text });
    }
    return this.current;
  }

  commitNew() {
    const { element, place, speaker } = this.opened;
    const text = trim(element.querySelector("textarea").value);
    if (text) {
      this.opened = null;
      this.apply({ op: "insert", at: place, speaker, text }, tell("Message added."), element);
      this.current = place;
    }
    return this.current;
  }

  dropNew() {
    const { element } = this.opened;
    this.opened = null;
    element.remove();
  }

  // The caret has left a message: if it is now empty, delete it.
  left({ target, relatedTarget }) {
    if (this.isShowing || !target.matches("textarea") || relatedTarget?.closest("[data-tools]")) {
      return;
    }
    if (this.opened) {
      this.commitNew();
      if (this.opened?.element.contains(target)) {
        this.dropNew();
      }
      return;
    }
    this.commit();
    const place = this.pieces.placeOf(target);
    if (place >= 0 && !trim(target.value)) {
      if (this.draft.length > 1) {
        this.apply({ op: "delete", at: place }, tell("Empty message deleted."));
      } else {
        target.value = this.draft[place].text;
      }
    }
  }
}

// The list of messages being written: shows a draft, and updates only what changed in it.

import { tell } from "../words.js";
import { lengthOf, trim } from "./editing.js";

const GROWS = CSS.supports("field-sizing", "content");

export class Pieces {
  // `decorate(element, piece, place)` adds what other modules know about a piece.
  constructor(list, template, { names, decorate }) {
    Object.assign(this, { list, template, names, decorate });
    list.replaceChildren();
    // The shown pieces and their elements, in parallel; a new message that is still empty is in neither.
    this.shown = [];
    this.items = [];
    list.addEventListener("input", (event) => this.grow(event.target));
  }

  placeOf(node) {
    return this.items.indexOf(node?.closest("[data-piece]"));
  }

  box(place) {
    return this.items[place]?.querySelector("textarea");
  }

  // Show a draft. A piece that is the same object keeps its element.
  show(draft) {
    const before = this.shown;
    let start = 0;
    while (start < before.length && start < draft.length && before[start] === draft[start]) {
      start += 1;
    }
    let end = 0;
    const most = Math.min(before.length, draft.length) - start;
    while (end < most && before.at(-1 - end) === draft.at(-1 - end)) {
      end += 1;
    }
    const last = before.length - end;
    const common = Math.min(last, draft.length - end);
    this.items.splice(common, last - common).forEach((element) => element.remove());
    for (let place = common; place < draft.length - end; place += 1) {
      const element = this.create();
      this.list.insertBefore(element, this.items[place] ?? null);
      this.items.splice(place, 0, element);
    }
    this.shown = draft;
    for (let place = start; place < draft.length - end; place += 1) {
      this.fill(this.items[place], draft[place]);
    }
    this.number();
  }

  create() {
    const element = this.template.content.firstElementChild.cloneNode(true);
    element.dataset.piece = "";
    return element;
  }

  fill(element, piece) {
    element.className = `piece piece--${piece.speaker}`;
    element.querySelector("[data-name]").textContent = this.names[piece.speaker - 1];
    const box = element.querySelector("textarea");
    // The text being typed may end in a blank that the message does not have.
    if (box !== document.activeElement || trim(box.value) !== piece.text) {
      box.value = piece.text;
    }
    this.grow(box);
  }

  number() {
    this.shown.forEach((piece, place) => {
      const element = this.items[place];
      const name = this.names[piece.speaker - 1];
      const label = tell("Message {number}, {name}, {origin}", { number: place + 1, name, origin: from(piece) });
      const box = element.querySelector("textarea");
      if (box.getAttribute("aria-label") !== label) {
        box.setAttribute("aria-label", label);
      }
      this.decorate(element, piece, place);
    });
  }

  // An empty new message: it becomes a piece of the draft once it has text.
  openNew(place, speaker) {
    const element = this.create();
    this.fill(element, { speaker, text: "" });
    element.dataset.new = "";
    const label = tell("New message by {name}", { name: this.names[speaker - 1] });
    element.querySelector("textarea").setAttribute("aria-label", label);
    this.list.insertBefore(element, this.items[place] ?? null);
    return element;
  }

  // The new message has become a piece of the draft, and its element stays.
  adopt(element, place, piece) {
    delete element.dataset.new;
    this.shown = this.shown.toSpliced(place, 0, piece);
    this.items.splice(place, 0, element);
  }

  // Put the caret before the `offset`-th character of a message; -1: at its end.
  focus(place, offset = 0) {
    const box = this.box(place);
    if (box) {
      const caret = offset < 0 ? box.value.length : Array.from(box.value).slice(0, offset).join("").length;
      box.focus({ preventScroll: true });
      box.setSelectionRange(caret, caret);
      box.scrollIntoView({ block: "nearest" });
    }
  }

  // Set the height for browsers that cannot size a field by its content.
  grow(box) {
    if (!GROWS && box.matches("textarea")) {
      box.rows = 1;
      box.style.blockSize = `${box.scrollHeight}px`;
    }
  }
}

// Where the caret is, counted as the log counts.
export function caretOf(box) {
  return lengthOf(box.value.slice(0, box.selectionStart));
}

export function from(piece) {
  if (!piece.sources.length) {
    return tell("added");
  }
  const numbers = piece.sources.map((place) => place + 1);
  const places = numbers.reduce((some, last) => tell("{some} and {last}", { some, last }));
  return tell("from {places} of the original", { places });
}

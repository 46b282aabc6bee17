// The bubbles on the page, in the order of the conversation; and the scroll, which stays where the reader is.

import { tell } from "../words.js";

const NEAR = 80; // pixels from the end that still count as the end

export class Bubbles {
  constructor(list, scroll, down) {
    Object.assign(this, { list, scroll, down });
    down.addEventListener("click", () => this.toEnd());
    scroll.addEventListener("scroll", () => this.atEnd && (down.hidden = true));
    window.visualViewport?.addEventListener("resize", () => this.fit());
    this.toEnd();
  }

  // A phone's keyboard covers a part of the page, and not every browser makes the page smaller by itself: the last
  // bubble and the box to write in stay above it. Who zooms in sees less as well, but wants the page as it is.
  fit() {
    const stay = this.wasAtEnd;
    if (window.visualViewport.scale === 1) {
      document.body.style.setProperty("--visible-height", `${window.visualViewport.height}px`);
      window.scrollTo(0, 0);
    }
    if (stay) this.toEnd();
  }

  get atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroll;
    this.wasAtEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    return this.wasAtEnd;
  }

  toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
    this.down.hidden = true;
    this.wasAtEnd = true;
  }

  has(number) {
    return Boolean(this.list.querySelector(`[data-number="${number}"]`));
  }

  find(id) {
    return [...this.list.children].find((item) => item.dataset.id === id);
  }

  // A model's bubble goes before what the person sent after it was asked (`after`), as the model is told it.
  // Whoever writes here is taken to the end (`here`); what comes from elsewhere leaves a reader where they are.
  add({ speaker, text, number = "", id = "", after = Infinity, here = false }) {
    const stay = !this.atEnd && !here;
    const item = document.createElement("li");
    const who = document.createElement("span");
    const bubble = document.createElement("p");
    item.className = `turn turn--${speaker}`;
    Object.assign(item.dataset, { number, id });
    who.className = "visually-hidden";
    who.textContent = speaker === 1 ? tell("You: ") : tell("The other side: ");
    bubble.className = "bubble";
    bubble.dir = "auto";
    bubble.textContent = text;
    item.append(who, bubble);
    const later = [...this.list.querySelectorAll(".turn--1")].find((own) => !own.dataset.number || +own.dataset.number > after);
    this.list.insertBefore(item, speaker === 2 ? (later ?? null) : null);
    if (stay) this.down.hidden = false;
    else this.toEnd();
    return item;
  }

  // Of what the person wrote: on its way, or there. The mark's words are for screen readers.
  mark(item, isSent) {
    item.classList.toggle("is-waiting", !isSent);
    item.classList.toggle("is-sent", isSent);
    item.dataset.mark = isSent ? tell("sent") : tell("sending");
  }

  // Takes the last reply back.
  removeReply() {
    while (this.list.lastElementChild?.classList.contains("turn--2")) {
      this.list.lastElementChild.remove();
    }
  }

  // How often that speaker began to write, as the conversation's turns count.
  turnsOf(speaker) {
    const of = (item) => item?.classList.contains(`turn--${speaker}`);
    return [...this.list.children].filter((item) => of(item) && !of(item.previousElementSibling)).length;
  }

  get asText() {
    return [...this.list.children].map((item) => item.textContent).join("\n");
  }
}

// Marks messages for the current question: by a click or tap on a message's number, or in marking mode by keys.

import { numbers, setNumbers, tellNote } from "./rating-notes.js";
import { tell } from "./words.js";

export class Marks {
  // `announce` tells a screen reader what changed.
  constructor(page, form, announce) {
    Object.assign(this, { form, announce, active: false, typed: 0 });
    this.root = page.querySelector("[data-marks]");
    this.bar = document.querySelector("[data-marking]");
    this.buttons = [...this.root.querySelectorAll(".mark")];
    this.bar.querySelector("[data-marking-done]").addEventListener("click", () => this.stop());
    this.root.addEventListener("click", (event) => this.click(event));
    form.form.addEventListener("current", () => this.refresh());
    form.form.addEventListener("input", () => this.refresh());
    for (const button of page.querySelectorAll("[data-mark-messages]")) {
      button.hidden = false;
      button.addEventListener("click", () => this.start(button.closest("[data-question]")));
    }
    for (const button of this.buttons) {
      button.disabled = form.isClosed;
    }
    this.refresh();
  }

  get name() {
    return this.form.name(this.form.current);
  }

  refresh() {
    const marked = new Set(numbers(this.form.current));
    for (const button of this.buttons) {
      button.setAttribute("aria-pressed", String(marked.has(Number(button.value))));
      button.setAttribute("aria-label", tell("Message {number}, mark for {question}", { number: button.value, question: this.name }));
    }
    this.bar.querySelector("[data-marking-text]").textContent = tell(
      "Messages that led to your score for {question}: {count} marked",
      { question: this.name, count: marked.size },
    );
  }

  click(event) {
    const button = event.target.closest(".mark") ?? (this.active && event.target.closest(".said")?.querySelector(".mark"));
    if (button && !this.form.isClosed) {
      this.toggle(button);
    }
  }

  toggle(button) {
    const question = this.form.current;
    const number = Number(button.value);
    const marked = new Set(numbers(question));
    const isNew = !marked.delete(number);
    if (isNew) {
      marked.add(number);
    }
    setNumbers(question, [...marked].sort((one, other) => one - other));
    tellNote(question);
    this.refresh();
    this.typed = 0;
    const values = { number, question: this.name };
    this.announce(
      isNew
        ? tell("Message {number} marked for {question}.", values)
        : tell("Message {number} no longer marked for {question}.", values),
    );
    this.form.form.dispatchEvent(new Event("change", { bubbles: true }));
  }

  start(question = this.form.current) {
    if (this.form.isClosed) {
      return;
    }
    this.form.mark(question);
    this.active = true;
    this.typed = 0;
    document.body.classList.add("is-marking");
    this.bar.hidden = false;
    this.announce(
      tell("Marking messages for {question}. Arrows or numbers choose, Space marks, Escape ends.", {
        question: this.name,
      }),
    );
    this.enter(this.buttons.find((button) => button.ariaPressed === "true") ?? this.buttons[0]);
  }

  // False if there was nothing to stop.
  stop() {
    if (!this.active) {
      return false;
    }
    this.active = false;
    document.body.classList.remove("is-marking");
    this.bar.hidden = true;
    this.form.enter(this.form.current);
    return true;
  }

  // A narrow page shows one dialogue of a pair at a time: show the one with this message.
  enter(button) {
    if (!button.checkVisibility()) {
      document.querySelector("[name=side]:not(:checked)").checked = true;
    }
    button.focus();
    button.scrollIntoView({ block: "nearest" });
  }

  step(by) {
    const place = this.buttons.indexOf(document.activeElement);
    this.typed = 0;
    this.enter(this.buttons[Math.min(Math.max(place + by, 0), this.buttons.length - 1)]);
  }

  // Digits add up to a number as long as such a message exists: 1, then 2 goes to 12.
  digit(value) {
    const longer = this.typed * 10 + Number(value);
    this.typed = longer <= this.buttons.length ? longer : Number(value);
    const button = this.buttons[this.typed - 1];
    if (button) {
      this.enter(button);
    }
  }
}

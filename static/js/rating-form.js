// The rating form as data: what is chosen, what is missing, which question is current.

import { readNotes, tellNote, writeNotes } from "./rating-notes.js";

export class RatingForm {
  constructor(form) {
    this.form = form;
    this.questions = [...form.querySelectorAll("[data-question]")];
    this.comment = form.elements.comment;
    this.flag = form.elements.flag;
    this.isPair = "pair" in form.dataset;
    form.noValidate = true;
    form.addEventListener("focusin", (event) => {
      const question = event.target.closest("[data-question]");
      if (question) {
        this.mark(question);
      }
    });
    for (const name of ["change", "focusin", "focusout", "mouseover", "mouseout"]) {
      form.addEventListener(name, (event) => this.tell(event.target.closest("[data-question]")));
    }
    this.questions.forEach((question) => this.tell(question));
    this.questions.forEach(tellNote);
    this.mark(this.firstMissing() ?? this.questions[0]);
  }

  // Whether the study currently takes no scores.
  get isClosed() {
    return this.form.querySelector("fieldset").disabled;
  }

  get submissionId() {
    return this.form.elements.submission_id.value;
  }

  radios(question) {
    return [...question.querySelectorAll("input[type=radio]")];
  }

  chosen(question) {
    return this.radios(question).find((radio) => radio.checked);
  }

  name(question) {
    return question.querySelector("legend").textContent;
  }

  firstMissing() {
    return this.questions.find((question) => !this.chosen(question));
  }

  mark(question) {
    this.current = question;
    for (const other of this.questions) {
      other.toggleAttribute("data-current", other === question);
    }
    this.form.dispatchEvent(new Event("current"));
  }

  // Show the word of the point under the pointer, else the chosen one, else the focused one.
  tell(question) {
    if (question) {
      const point = ["label:hover", "label:has(:checked)", "label:has(:focus-visible)"]
        .map((selector) => question.querySelector(selector))
        .find(Boolean);
      const word = question.querySelector("[data-word]");
      word.textContent = point?.dataset.pointWord ?? "";
      word.toggleAttribute("data-chosen", Boolean(point?.querySelector(":checked")));
    }
  }

  // Move the focus to a question: its chosen point, else its first.
  enter(question) {
    (this.chosen(question) ?? this.radios(question)[0]).focus();
    question.scrollIntoView({ block: "nearest" });
  }

  step(by) {
    const place = this.questions.indexOf(this.current);
    this.enter(this.questions[Math.min(Math.max(place + by, 0), this.questions.length - 1)]);
  }

  // Score the current question; true if the scale has such a point. Sides of a pair are counted from 1.
  score(value) {
    const radios = this.radios(this.current);
    const radio = this.isPair ? radios[value - 1] : radios.find((point) => point.value === value);
    if (!radio) {
      return false;
    }
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
    this.step(1);
    return true;
  }

  read() {
    const scores = {};
    for (const question of this.questions) {
      const radio = this.chosen(question);
      if (radio) {
        scores[question.dataset.question] = Number(radio.value);
      }
    }
    return { scores, comment: this.comment.value, flag: this.flag.value, ...readNotes(this.questions) };
  }

  write(answer) {
    for (const question of this.questions) {
      for (const radio of this.radios(question)) {
        radio.checked = Number(radio.value) === answer.scores[question.dataset.question];
      }
      this.tell(question);
    }
    writeNotes(this.questions, answer);
    this.comment.value = answer.comment;
    this.flag.value = answer.flag;
  }
}

// The rating page: the server renders a plain form, this saves as you choose and adds the keys.

import { watchBreak } from "./rating-break.js";
import { choose } from "./rating-conflict.js";
import { RatingForm } from "./rating-form.js";
import { listen, scrollBySpace } from "./rating-keys.js";
import { Marks } from "./rating-marks.js";
import { openNote } from "./rating-notes.js";
import { Saver } from "./rating-saver.js";
import { tell } from "./words.js";

// The keys for the previous and the next item, by reading direction.
const [back, on] = document.dir === "rtl" ? ["ArrowRight", "ArrowLeft"] : ["ArrowLeft", "ArrowRight"];
const page = document.querySelector("[data-rating]");
const form = new RatingForm(page.querySelector("[data-rating-form]"));
const saved = page.querySelector("[data-saved]");
const sheet = document.querySelector("[data-keys-sheet]");
const submitButton = page.querySelector("[data-submit]");
const heard = document.querySelector("[data-announce]");
const marks = new Marks(page, form, (text) => (heard.textContent = text));

function say(text, tone = "") {
  saved.textContent = text;
  saved.dataset.tone = tone;
}

// The message about missing scores stays until something changes; a saved draft does not replace it.
let lacking = false;

function sayUnlessLacking(text, tone) {
  if (!lacking || tone !== "ok") {
    say(text, tone);
  }
}

async function conflict(theirs) {
  const mine = form.read();
  const differ = JSON.stringify(mine) !== JSON.stringify({ ...mine, ...theirs });
  if (differ && (await choose(document.querySelector("[data-conflict]"), form, mine, theirs))) {
    form.write(theirs);
    say(tell("Saved"), "ok");
  } else {
    saver.change(mine);
  }
}

const saver = new Saver(
  form.form,
  { draft: page.dataset.draftUrl, submit: page.dataset.submitUrl },
  Number(page.dataset.draftVersion),
  { say: sayUnlessLacking, conflict },
);

async function submit() {
  if (!submitButton || saver.submitting) {
    return;
  }
  marks.stop();
  const missing = form.firstMissing();
  if (missing) {
    say(tell("Choose a point for {name}.", { name: form.name(missing) }), "refused");
    lacking = true;
    form.enter(missing);
    return;
  }
  submitButton.setAttribute("aria-disabled", "true");
  const next = await saver.submit(form.submissionId, form.read());
  if (next) {
    location.assign(next);
  } else {
    submitButton.removeAttribute("aria-disabled");
  }
}

function openExtra(name) {
  const box = page.querySelector(`[data-extra="${name}"]`);
  box.open = true;
  box.querySelector("select, textarea").focus();
}

function toggle(details) {
  if (details) {
    details.open = !details.open;
    details.querySelector("summary").scrollIntoView({ block: "nearest" });
  }
}

function openSkip() {
  const skip = page.querySelector("[data-skip]");
  if (skip) {
    skip.open = true;
    skip.querySelector("select").focus();
  }
}

function score(value) {
  const question = form.current;
  if (submitButton && !saver.submitting && form.score(value)) {
    const point = form.chosen(question).parentElement.innerText.trim();
    heard.textContent = `${form.name(question)}: ${point.replaceAll(/\s*\n\s*/g, ", ")}`;
  }
}

function click(selector) {
  document.querySelector(selector)?.click();
}

listen({
  digit: (value) => (marks.active ? marks.digit(value) : score(value)),
  Enter: () => (marks.active ? marks.stop() : submit()),
  escape: () => form.enter(form.current),
  Escape: () => marks.stop(),
  ArrowUp: () => (marks.active ? marks.step(-1) : form.step(-1)),
  ArrowDown: () => (marks.active ? marks.step(1) : form.step(1)),
  [back]: () => click("[data-previous]"),
  [on]: () => click("[data-next]"),
  e: () => marks.stop() || marks.start(),
  z: () => click("[data-undo] button"),
  f: () => openExtra("flag"),
  c: () => openExtra("comment"),
  C: () => openNote(form.current),
  g: () => toggle(page.querySelector("[data-guidelines]")),
  s: openSkip,
  "?": () => sheet.showModal(),
});

scrollBySpace(() => marks.active);

for (const kind of ["input", "change"]) {
  form.form.addEventListener(kind, () => {
    lacking = false;
    saver.change(form.read());
  });
}
form.form.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});

watchBreak(document.querySelector("[data-break]"), () => form.enter(form.current));
window.addEventListener("pagehide", () => saver.leave());
window.addEventListener("beforeunload", (event) => {
  if (saver.failures && !saver.isSettled) {
    event.preventDefault();
  }
});
// A page that the browser kept and shows again may be out of date: ask the server.
window.addEventListener("pageshow", (event) => event.persisted && location.reload());

for (const hint of document.querySelectorAll("[data-key-hint], [data-open-keys]")) {
  hint.hidden = false;
}
// Tab goes from question to question; the note of the current one is Shift+c.
for (const note of page.querySelectorAll(".question-more summary")) {
  note.tabIndex = -1;
}
page.querySelector("[data-open-keys]").addEventListener("click", () => sheet.showModal());
page.dataset.ready = "";

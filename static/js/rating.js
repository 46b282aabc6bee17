// The rating page: the server renders a plain form, this saves as you choose and adds the keys.

import { choose } from "./rating-conflict.js";
import { RatingForm } from "./rating-form.js";
import { listen } from "./rating-keys.js";
import { Saver } from "./rating-saver.js";

const page = document.querySelector("[data-rating]");
const form = new RatingForm(page.querySelector("[data-rating-form]"));
const saved = page.querySelector("[data-saved]");
const sheet = document.querySelector("[data-keys-sheet]");
const submitButton = page.querySelector("[data-submit]");

function say(text, tone = "") {
  saved.textContent = text;
  saved.dataset.tone = tone;
}

async function conflict(theirs) {
  const mine = form.read();
  const differ = JSON.stringify(mine) !== JSON.stringify({ ...mine, ...theirs });
  if (differ && (await choose(document.querySelector("[data-conflict]"), form, mine, theirs))) {
    form.write(theirs);
    say("Saved", "ok");
  } else {
    saver.change(mine);
  }
}

const saver = new Saver(
  form.form,
  { draft: page.dataset.draftUrl, submit: page.dataset.submitUrl },
  Number(page.dataset.draftVersion),
  { say, conflict },
);

async function submit() {
  if (!submitButton || saver.submitting) {
    return;
  }
  const missing = form.firstMissing();
  if (missing) {
    say(`Choose a point for ${form.name(missing)}.`, "refused");
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

listen({
  digit: (value) => submitButton && !saver.submitting && form.score(value),
  Enter: submit,
  escape: () => form.enter(form.current),
  ArrowUp: () => form.step(-1),
  ArrowDown: () => form.step(1),
  ArrowLeft: () => page.querySelector("[data-previous]")?.click(),
  ArrowRight: () => page.querySelector("[data-next]")?.click(),
  f: () => openExtra("flag"),
  c: () => openExtra("comment"),
  g: () => toggle(page.querySelector("[data-guidelines]")),
  s: openSkip,
  "?": () => sheet.showModal(),
});

form.form.addEventListener("input", () => saver.change(form.read()));
form.form.addEventListener("change", () => saver.change(form.read()));
form.form.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});

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
page.querySelector("[data-open-keys]").addEventListener("click", () => sheet.showModal());
page.dataset.ready = "";

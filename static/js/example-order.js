// The order of examples, changed on the page and saved at once; without this script the arrows are plain buttons.

import { draggable } from "./example-drag.js";

const list = document.querySelector("[data-order]");
const form = document.querySelector("[data-order-form]");
const said = document.querySelector("[data-order-said]");
const items = () => [...list.querySelectorAll(":scope > [data-example]")];
let saving = Promise.resolve();

function renumber() {
  const rows = items();
  rows.forEach((row, index) => {
    const place = index + 1;
    row.id = `example-${place}`;
    row.querySelector("[data-place]").textContent = place;
    for (const button of row.querySelectorAll("[data-step]")) {
      const step = Number(button.dataset.step);
      button.value = place + step;
      button.disabled = place + step < 1 || place + step > rows.length;
      button.setAttribute("aria-label", `Move example ${place} ${step < 0 ? "up" : "down"}`);
    }
    for (const number of row.querySelectorAll("[data-number]")) {
      number.textContent = place;
    }
  });
}

function restore(order) {
  list.append(...order);
  renumber();
}

function submitInstead(order) {
  for (const row of order) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "example", value: row.dataset.example });
    form.append(field);
  }
  form.submit();
}

async function send(order) {
  const body = new FormData(form);
  order.forEach((row) => body.append("example", row.dataset.example));
  const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
  if (!response.ok || response.redirected) {
    // Somebody else changed the set, or the session ended: the server's own page says what to do.
    submitInstead(order);
    return;
  }
  const { revision } = await response.json();
  for (const field of document.querySelectorAll("[data-order-form] [name=revision], [data-move] [name=revision]")) {
    field.value = revision;
  }
}

// One request at a time, so that each builds on the result of the one before.
function save(before, moved) {
  const order = items();
  if (order.every((row, index) => row === before[index])) {
    return;
  }
  renumber();
  said.textContent = `${moved.dataset.name} is now example ${order.indexOf(moved) + 1} of ${order.length}.`;
  saving = saving.then(() => send(order)).catch(() => {
    restore(before);
    said.textContent = "The server cannot be reached. The order is as it was.";
  });
}

function step(button) {
  const row = button.closest("[data-example]");
  const before = items();
  const to = before.indexOf(row) + Number(button.dataset.step);
  if (to < 0 || to >= before.length) {
    return;
  }
  if (Number(button.dataset.step) < 0) {
    before[to].before(row);
  } else {
    before[to].after(row);
  }
  save(before, row);
  // At either end this button is disabled, so focus the other one.
  const next = button.disabled ? row.querySelector("[data-step]:not(:disabled)") : button;
  next?.focus();
  row.scrollIntoView({ block: "nearest" });
}

if (list && form) {
  list.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (button?.dataset.step) {
      event.preventDefault();
      step(button);
    }
  });
  for (const handle of list.querySelectorAll("[data-handle]")) {
    handle.hidden = items().length < 2;
    draggable(handle, { list, items, restore, dropped: save });
  }
}

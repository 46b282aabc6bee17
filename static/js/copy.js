// Copies the text of a field to the clipboard: `data-copy` on the button names the field.

import { tell } from "./words.js";

async function copy(button) {
  const field = document.getElementById(button.dataset.copy);
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = tell("Copied");
  } catch {
    // The browser refused: leave the text selected, so that one keystroke copies it.
    field.select();
    button.textContent = tell("Press Ctrl+C");
  }
  setTimeout(() => { button.textContent = label; }, 2000);
}

for (const button of document.querySelectorAll("[data-copy]")) {
  // The clipboard exists only in a secure context; without it the field can still be selected.
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", () => copy(button));
}

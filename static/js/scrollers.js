// A table wider than its frame scrolls sideways; the keyboard must be able to do it too.

import { tell } from "./words.js";

function update(wrap) {
  if (wrap.scrollWidth > wrap.clientWidth) {
    const caption = wrap.querySelector("caption")?.textContent.trim();
    wrap.tabIndex = 0;
    wrap.setAttribute("role", "region");
    wrap.setAttribute("aria-label", caption || wrap.dataset.label || tell("Table, scrolls sideways"));
  } else {
    wrap.removeAttribute("tabindex");
    wrap.removeAttribute("role");
    wrap.removeAttribute("aria-label");
  }
}

const watcher = new ResizeObserver((entries) => entries.forEach((entry) => update(entry.target.closest(".table-wrap"))));

function watch(root) {
  for (const wrap of root.querySelectorAll(".table-wrap")) {
    // Keep a name that it already has.
    wrap.dataset.label ??= wrap.getAttribute("aria-label") ?? "";
    update(wrap);
    watcher.observe(wrap);
    // The table inside can grow while its frame stays as it is: when a row opens, or when a font arrives.
    for (const inside of wrap.children) watcher.observe(inside);
  }
}

watch(document);
document.addEventListener("htmx:load", (event) => watch(event.detail.elt));

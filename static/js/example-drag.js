// Drag a list item by its handle, with a mouse, a pen or a finger. While it moves, the list shows headings only.

const EDGE = 60; // px from the window's edge where the page scrolls along
const SCROLL = 14; // px per move

function middle(row) {
  const box = row.getBoundingClientRect();
  return box.top + box.height / 2;
}

// The neighbours move aside; the item stays in the document, because removing it would lose the pointer.
function follow(y, row) {
  for (let other = row.previousElementSibling; other && y < middle(other); other = row.previousElementSibling) {
    row.after(other);
  }
  for (let other = row.nextElementSibling; other && y > middle(other); other = row.nextElementSibling) {
    row.before(other);
  }
}

export function draggable(handle, { list, items, restore, dropped }) {
  const row = handle.closest("[data-example]");
  let before = null;

  function start(event) {
    if (event.button !== 0) {
      return;
    }
    event.preventDefault();
    before = items();
    handle.setPointerCapture(event.pointerId);
    list.classList.add("examples--dragging");
    row.classList.add("example--dragged");
    // Folding the list moved everything: bring the item back under the pointer.
    window.scrollBy(0, handle.getBoundingClientRect().top - event.clientY);
    document.addEventListener("keydown", cancel);
  }

  function move(event) {
    if (!before) {
      return;
    }
    if (event.clientY < EDGE) {
      window.scrollBy(0, -SCROLL);
    } else if (event.clientY > window.innerHeight - EDGE) {
      window.scrollBy(0, SCROLL);
    }
    follow(event.clientY, row);
  }

  function end() {
    list.classList.remove("examples--dragging");
    row.classList.remove("example--dragged");
    document.removeEventListener("keydown", cancel);
    const was = before;
    before = null;
    row.scrollIntoView({ block: "nearest" });
    return was;
  }

  function drop() {
    if (before) {
      dropped(end(), row);
    }
  }

  function abandon() {
    if (before) {
      restore(end());
    }
  }

  function cancel(event) {
    if (event.key === "Escape") {
      abandon();
    }
  }

  handle.addEventListener("pointerdown", start);
  handle.addEventListener("pointermove", move);
  handle.addEventListener("pointerup", drop);
  handle.addEventListener("pointercancel", abandon);
}

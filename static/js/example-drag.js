// Drag a list item by its handle, with a mouse, a pen or a finger. While it moves, the list shows headings only.

const EDGE = 60; // px from the window's edge where the page scrolls along
const SCROLL = 14; // px a move

function placeAt(y, row, others) {
  const next = others.find((other) => {
    const box = other.getBoundingClientRect();
    return y < box.top + box.height / 2;
  });
  if (next) {
    if (next.previousElementSibling !== row) {
      next.before(row);
    }
  } else if (others.at(-1)?.nextElementSibling !== row) {
    others.at(-1)?.after(row);
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
    placeAt(event.clientY, row, items().filter((other) => other !== row));
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

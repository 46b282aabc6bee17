// Keys of the editor. Inside a message, a text field's own keys keep their meaning.

function atStart(box) {
  return box.selectionStart === 0 && box.selectionEnd === 0;
}

function atEnd(box) {
  return box.selectionStart === box.value.length && box.selectionEnd === box.value.length;
}

const modified = (event) => event.ctrlKey || event.metaKey;

function historyKey(event, editor) {
  const key = event.key.toLowerCase();
  if (!modified(event) || event.altKey || !["z", "y"].includes(key)) {
    return undefined;
  }
  return () => editor.undo(key === "y" || event.shiftKey ? "redo" : "undo");
}

function textKey(event, editor, pieces) {
  const box = event.target;
  const place = pieces.placeOf(box);
  const plain = !modified(event) && !event.altKey && !event.shiftKey;
  const backspace = () => (box.value ? editor.merge() : editor.remove());
  const keys = {
    Enter: [
      [modified(event) && event.altKey, () => editor.add(true)],
      [modified(event), () => editor.add()],
      [plain, () => editor.split()],
    ],
    Backspace: [[plain && atStart(box), backspace]],
    Delete: [
      [event.altKey, () => editor.remove()],
      [plain && atEnd(box) && place >= 0, () => editor.mergeNext()],
    ],
    ArrowUp: [
      [event.altKey, () => editor.move(-1)],
      [plain && atStart(box) && place > 0, () => pieces.focus(place - 1, -1)],
    ],
    ArrowDown: [
      [event.altKey, () => editor.move(1)],
      [plain && atEnd(box) && place >= 0 && place < pieces.items.length - 1, () => pieces.focus(place + 1)],
    ],
  };
  return keys[event.key]?.find(([holds]) => holds)?.[1];
}

export function listen(page, editor, pieces, sheet) {
  page.addEventListener("keydown", (event) => {
    if (event.isComposing || document.querySelector("dialog[open]")) {
      return;
    }
    const inText = event.target.matches("[data-pieces] textarea");
    const action = historyKey(event, editor) ?? (inText ? textKey(event, editor, pieces) : undefined);
    const help = event.key === "?" && !event.target.matches("textarea, select, input");
    if (action || help || (event.key === "/" && modified(event))) {
      event.preventDefault();
      (action ?? (() => sheet.showModal()))();
    }
  });
}

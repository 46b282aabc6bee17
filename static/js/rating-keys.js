// Keys of the rating page. They rest while someone types or a dialog is open, and a held key counts once.

const TYPING = "textarea, select, input:not([type=radio]), [contenteditable]";
const NATIVE_ENTER = "a, button, summary";
const NATIVE_ARROWS = "[name=side]";

function digit(event) {
  const code = /^(?:Digit|Numpad)([0-9])$/.exec(event.code);
  return /^[0-9]$/.test(event.key) ? event.key : code?.[1];
}

// `actions` maps a key's name to what it does, or gives false to leave the key to the browser; `digit` is any digit,
// `escape` the way out of a text.
export function listen(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) {
      return;
    }
    if (event.target.matches(TYPING)) {
      if (event.key === "Escape") {
        actions.escape();
      }
      return;
    }
    if (event.key === "Enter" && event.target.matches(NATIVE_ENTER)) {
      return;
    }
    if (event.key.startsWith("Arrow") && event.target.matches(NATIVE_ARROWS)) {
      return;
    }
    const value = digit(event);
    const action = value === undefined ? actions[event.key] : () => actions.digit(value);
    if (action && (event.repeat || action() !== false)) {
      event.preventDefault();
    }
  });
}

// Keys of the rating page. They do nothing while someone types or a dialog is open; a held key counts once.

const TYPING = "textarea, select, input:not([type=radio]), [contenteditable]";
const NATIVE_ENTER = "a, button, summary";
const NATIVE_ARROWS = "[name=side]";
// Controls that Space operates by itself once the keyboard has reached them; a click leaves the focus on them, too.
const NATIVE_SPACE = ":is(button:not(.mark), summary):focus-visible";
// How much of the window Space scrolls, as browsers do: some lines stay in sight.
const SCREEN = 0.875;

function digit(event) {
  const code = /^(?:Digit|Numpad)([0-9])$/.exec(event.code);
  return /^[0-9]$/.test(event.key) ? event.key : code?.[1];
}

function isOurs(event) {
  const isCombined = event.ctrlKey || event.metaKey || event.altKey || event.isComposing;
  return !isCombined && !document.querySelector("dialog[open]");
}

// The questions usually have the focus, where a browser would use Space to choose the first point.
function takesSpace(event) {
  return event.key === " " && isOurs(event) && !event.target.matches(`${TYPING}, ${NATIVE_SPACE}`);
}

// Space scrolls the page, Shift and Space back; not while `isAway()`, when it has another meaning.
export function scrollBySpace(isAway) {
  document.addEventListener("keydown", (event) => {
    if (takesSpace(event) && !isAway()) {
      event.preventDefault();
      window.scrollBy({ top: (event.shiftKey ? -SCREEN : SCREEN) * window.innerHeight });
    }
  });
  // Some browsers choose on key up.
  document.addEventListener("keyup", (event) => takesSpace(event) && !isAway() && event.preventDefault());
}

// `actions` maps a key's name to a function, which returns false to leave the key to the browser; `digit` is any digit,
// `escape` leaves a text field.
export function listen(actions) {
  document.addEventListener("keydown", (event) => {
    if (!isOurs(event)) {
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

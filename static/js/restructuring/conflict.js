// Two texts of one dialogue: show both, let the person choose, and overwrite nothing without asking.

function bubbles(pieces, names) {
  return pieces.map((piece, place) => {
    const item = document.createElement("li");
    item.className = `piece piece--${piece.speaker}`;
    if (!place || pieces[place - 1].speaker !== piece.speaker) {
      const name = document.createElement("p");
      name.className = "turn-name";
      name.textContent = names[piece.speaker - 1];
      item.append(name);
    }
    const text = document.createElement("p");
    text.className = "bubble";
    text.dir = "auto";
    text.textContent = piece.text;
    item.append(text);
    return item;
  });
}

// Resolves to true if the person takes the other text.
export function choose(dialog, mine, theirs, names) {
  dialog.querySelector("[data-mine]").replaceChildren(...bubbles(mine, names));
  dialog.querySelector("[data-theirs]").replaceChildren(...bubbles(theirs, names));
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "theirs"), { once: true });
  });
}

export function sameText(one, other) {
  const texts = (pieces) => JSON.stringify(pieces.map(({ speaker, text }) => [speaker, text]));
  return texts(one) === texts(other);
}

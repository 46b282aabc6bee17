// Two drafts of one item: show both, let the rater choose, and overwrite nothing without asking.

import { tell } from "./words.js";

function row(question, mine, theirs) {
  const cells = [question, mine, theirs].map((text, place) => {
    const cell = document.createElement(place ? "td" : "th");
    cell.className = place ? "num" : "";
    cell.textContent = text ?? "–";
    return cell;
  });
  cells[0].scope = "row";
  const line = document.createElement("tr");
  line.append(...cells);
  return line;
}

// Resolves to true if the rater takes the other draft.
export function choose(dialog, form, mine, theirs) {
  const rows = form.questions.flatMap((question) => {
    const key = question.dataset.question;
    const name = form.name(question);
    const both = [mine, theirs];
    const shown = [[name, ...both.map((one) => one.scores[key])]];
    const notes = both.map((one) => one.comments?.[key]);
    const marks = both.map((one) => one.evidence?.[key]?.map((place) => place + 1).join(", "));
    const parts = [
      [tell("{question}: note", { question: name }), notes],
      [tell("{question}: messages", { question: name }), marks],
    ];
    for (const [what, [here, there]] of parts) {
      if ((here ?? "") !== (there ?? "")) {
        shown.push([what, here, there]);
      }
    }
    return shown.map((cells) => row(...cells));
  });
  if (mine.comment !== theirs.comment) {
    rows.push(row(tell("Comment"), mine.comment || null, theirs.comment || null));
  }
  if (mine.flag !== theirs.flag) {
    rows.push(row(tell("Flag"), mine.flag || null, theirs.flag || null));
  }
  dialog.querySelector("[data-conflict-rows]").replaceChildren(...rows);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "theirs"), { once: true });
  });
}

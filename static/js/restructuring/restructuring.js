// The restructuring page: turns the server's plain form into an editor that saves as one works.

import { tell } from "../words.js";
import { choose, sameText } from "./conflict.js";
import { Editor } from "./editor.js";
import { Figures } from "./figures.js";
import { History } from "./history.js";
import { listen } from "./keys.js";
import { Links } from "./links.js";
import { Pieces } from "./pieces.js";
import { Proposals } from "./proposals.js";
import { Saver } from "./saver.js";

const page = document.querySelector("[data-restructuring]");
const find = (name) => page.querySelector(`[data-${name}]`);
const data = JSON.parse(document.querySelector("#restructuring-data").textContent);
const form = find("draft-form");
const saved = document.querySelector("[data-saved]");
const spoken = find("spoken");
const original = new History(data.original).draft;

// A screen reader reads the same words again only if something about them differs.
function say(text) {
  spoken.textContent = spoken.textContent === text ? `${text}\u00a0` : text;
}

function showState(text, tone = "") {
  saved.textContent = text;
  saved.dataset.tone = tone;
}

const proposals = new Proposals(find("proposals").dataset.url, find("proposal-template"), original, {
  say,
  refresh: () => pieces.number(),
});
const pieces = new Pieces(find("pieces"), find("piece-template"), {
  names: data.names,
  decorate(element, piece) {
    element.querySelector("[data-added]").hidden = Boolean(piece.sources.length);
    proposals.decorate(element, piece);
  },
});
const figures = new Figures([...page.querySelectorAll("[data-figure]")], original);
const links = new Links(find("original-side"), original, pieces, { focus: (place) => pieces.focus(place) });
// Every operation on the dialogue, to replay after somebody else changed it.
const log = [...data.log];

const saver = new Saver(form, page.dataset.saveUrl, data.log.length, { say: showState, conflict });
const editor = new Editor(new History(data.original, data.log), pieces, {
  say,
  warning: find("warning"),
  typing: (whether) => saver.expect(whether),
  send(body) {
    log.push(body);
    saver.add(body);
  },
  changed(draft) {
    figures.follow(draft);
    links.follow(draft);
    find("undo").disabled = !editor.history.before.length;
    find("redo").disabled = !editor.history.undone.length;
  },
});

async function conflict({ operations }) {
  editor.commit();
  const base = saver.version;
  const mine = { bodies: log.slice(base), draft: editor.draft };
  const common = [...log.slice(0, base), ...operations];
  const theirs = new History(data.original, common);
  let bodies = [];
  if (!sameText(mine.draft, theirs.draft)) {
    const takesTheirs = await choose(document.querySelector("[data-conflict]"), mine.draft, theirs.draft, data.names);
    bodies = takesTheirs ? [] : [{ op: "rewind", to: base }, ...mine.bodies];
  }
  log.splice(0, log.length, ...common, ...bodies);
  editor.replace(new History(data.original, log));
  saver.restart(common.length, bodies);
  say(bodies.length ? tell("Kept your text.") : tell("Now showing the other text."));
}

const tools = {
  undo: () => editor.undo(),
  redo: () => editor.undo("redo"),
  split: () => editor.split(),
  merge: () => editor.merge(),
  up: () => editor.move(-1),
  down: () => editor.move(1),
  add: () => editor.add(),
  "add-other": () => editor.add(true),
  remove: () => editor.remove(),
  diff(button) {
    const shown = links.toggleDiff(editor.draft);
    button.setAttribute("aria-pressed", shown);
    say(shown ? tell("Changed words are marked in the original.") : tell("Changed words are no longer marked."));
  },
  keys: () => document.querySelector("[data-keys-sheet]").showModal(),
  propose: () => proposals.ask(find("proposer").value, editor.draft),
};

// A pressed tool leaves the caret where it is: the keyboard of a phone stays open.
find("tools").addEventListener("mousedown", (event) => event.target.closest("button") && event.preventDefault());
page.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-tool]");
  if (button) {
    tools[button.dataset.tool](button);
  }
  const answer = event.target.closest("button[data-answer]");
  if (answer) {
    const place = pieces.placeOf(answer);
    const texts = proposals.of(editor.draft[place]);
    if (answer.dataset.answer === "accept") {
      editor.accept(place, texts, proposals.by);
    } else {
      proposals.dismiss(editor.draft[place]);
      say(tell("Proposal dismissed."));
    }
    const next = pieces.list.querySelector("[data-answer=accept]");
    next ? next.focus() : pieces.focus(place);
  }
});
pieces.list.addEventListener("focusin", (event) => links.mark(pieces.placeOf(event.target)));
listen(page, editor, pieces, document.querySelector("[data-keys-sheet]"));

form.addEventListener("submit", (event) => event.preventDefault());
document.querySelector("[data-submit-form]")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  editor.commit();
  await saver.finished();
  event.target.elements.version.value = saver.version;
  event.target.submit();
});
window.addEventListener("pagehide", () => {
  editor.commit();
  saver.leave();
});
window.addEventListener("beforeunload", (event) => !saver.isSettled && saver.failures && event.preventDefault());
// A page that the browser kept and shows again may be out of date: ask the server.
window.addEventListener("pageshow", (event) => event.persisted && location.reload());

figures.show(editor.draft);
links.show(editor.draft);
find("undo").disabled = !editor.history.before.length;
find("redo").disabled = !editor.history.undone.length;
page.dataset.ready = "";

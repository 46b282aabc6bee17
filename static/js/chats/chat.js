// A chat: what is written goes out through the outbox, what happens comes in as events. Without this module the form
// works and the page shows what is new when it is loaded again.

import { post } from "../posting.js";
import { tell } from "../words.js";
import { Bubbles } from "./bubbles.js";
import { Outbox } from "./outbox.js";

const TYPING_EVERY = 1000;
const FOLLOW_AGAIN = 3000;
const form = document.querySelector("[data-chat]");
const part = (name) => document.querySelector(`[data-${name}]`);
const [text, typing, notice, hint] = ["text", "typing", "notice", "hint"].map(part);
const bubbles = new Bubbles(part("bubbles"), part("scroll"), part("down"));
const draftName = `draft-${form.dataset.chat}`;
let asked = Number(bubbles.list.dataset.asked);
let isOpen = form.dataset.open === "yes";
let toldTyping = 0;

const sign = (name) => post(form.dataset.sign.replace("SIGN", name), {}, form);

function say(words) {
  notice.textContent = words;
  notice.hidden = !words;
}

// A page without one of the tools, such as a tester's, has nothing to show there.
function showPart(name, isShown) {
  const tool = part(name);
  if (tool) tool.hidden = !isShown;
}

function showTools({ failed = false } = {}) {
  showPart("stop", asked);
  showPart("retry", failed && isOpen);
  showPart("regenerate", !asked && isOpen && bubbles.list.lastElementChild?.classList.contains("turn--2"));
  showTurns(failed);
  typing.hidden = !asked;
  if (asked && bubbles.wasAtEnd) bubbles.toEnd();
}

// How far a tester's chat is: all that somebody writes in a row is one turn.
function showTurns(failed) {
  const told = part("turns");
  if (!told) return;
  const least = Number(told.dataset.least);
  const turns = bubbles.turnsOf(1);
  told.textContent = tell("{turns} of at least {least} turns", { turns, least });
  part("finish").classList.toggle("btn-primary", turns >= least || failed);
}

function own({ id, text: words, number }) {
  const item = (id && bubbles.find(id)) || bubbles.add({ speaker: 1, text: words, id });
  item.dataset.number = number;
  bubbles.mark(item, true);
}

function told(id, status, detail) {
  const item = bubbles.find(id);
  if (status === 200) {
    if (item) bubbles.mark(item, true);
    say("");
  } else if (status === 400 || status === 409) {
    // Refused: the words go back into the box, because nothing that was typed is lost.
    const words = item?.querySelector(".bubble").textContent ?? "";
    item?.remove();
    text.value = text.value ? `${words}\n${text.value}` : words;
    say(detail ?? "");
  } else if (status === 404) {
    say(tell("This chat is no longer yours. Go back to your studies."));
  } else if (status === 403) {
    say(tell("You are logged out. Log in again in another tab; what you wrote is kept and then sent."));
  } else {
    say(tell("No connection. What you wrote is kept and sent as soon as there is one."));
  }
}

const outbox = new Outbox(form, told);
for (const message of outbox.kept) {
  bubbles.mark(bubbles.add({ speaker: 1, ...message }), false);
}

const HANDLERS = {
  sent: own,
  asked: ({ number }) => { asked = number; say(""); },
  bubble_shown: ({ number, text: words }) => { bubbles.add({ speaker: 2, text: words, number, after: asked }); },
  replied: () => { asked = 0; },
  aborted: () => { asked = 0; },
  failed: ({ words, again }) => { asked = 0; say(again ? `${words} ${tell("Trying again …")}` : words); },
  retried: () => say(""),
  regenerated: () => bubbles.removeReply(),
  ended: ({ words }) => { isOpen = false; asked = 0; close(words); },
};

function close(words) {
  say(`${tell("This chat has ended.")} ${words ?? ""}`.trim());
  form.hidden = true;
  showPart("over", true);
}

function follow(after) {
  const source = new EventSource(`${bubbles.list.dataset.events}?after=${after}`);
  let last = after;
  source.onmessage = ({ data, lastEventId }) => {
    last = lastEventId;
    const event = JSON.parse(data);
    if (["sent", "bubble_shown"].includes(event.kind) && bubbles.has(event.number)) return;
    HANDLERS[event.kind]?.(event);
    showTools({ failed: event.kind === "failed" && !event.again });
    hint.hidden = true;
  };
  source.addEventListener("error", () => {
    // The browser retries a broken stream, but not a refused one: somebody who is logged out comes back.
    if (source.readyState === EventSource.CLOSED) {
      setTimeout(follow, FOLLOW_AGAIN, last);
    }
  });
  source.addEventListener("end", () => source.close());
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const name = event.submitter?.value;
  if (name) {
    sign(name);
    return;
  }
  const words = text.value.trim();
  if (words) {
    text.value = "";
    localStorage.removeItem(draftName);
    const message = outbox.add(words);
    // Who has begun to write has read it; on a phone it would leave no room.
    part("background")?.removeAttribute("open");
    bubbles.mark(bubbles.add({ speaker: 1, here: true, ...message }), false);
    hint.hidden = true;
  }
  text.focus();
});

text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit(part("send-button"));
  }
});

text.addEventListener("input", () => {
  localStorage.setItem(draftName, text.value);
  if (Date.now() - toldTyping > TYPING_EVERY) {
    toldTyping = Date.now();
    sign("typing");
  }
});

showPart("copy-chat", true);
part("copy-chat")?.addEventListener("click", () => navigator.clipboard.writeText(bubbles.asText));
text.value = localStorage.getItem(draftName) ?? text.value;
showTools({ failed: "onHold" in bubbles.list.dataset });
if (isOpen) {
  outbox.flush();
  follow(bubbles.list.dataset.after);
  text.focus();
} else {
  close();
}

// “Split for me”: what the rules or a model propose, taken message by message.

import { tell, tellCount } from "../words.js";

export class Proposals {
  // `say(text)` announces; `refresh()` shows the list again.
  constructor(url, template, original, { say, refresh }) {
    Object.assign(this, { url, template, original, say, refresh });
    this.drop();
  }

  drop() {
    this.by = "";
    this.texts = [];
    this.dismissed = new Set();
  }

  async ask(by, draft) {
    try {
      const response = await fetch(`${this.url}?${new URLSearchParams({ by })}`);
      const answer = await response.json();
      if (!response.ok) {
        throw new Error(answer.detail);
      }
      this.drop();
      this.by = by;
      this.texts = answer.texts;
    } catch (error) {
      return this.say(error.message || tell("The proposals did not come. Try again."));
    }
    this.refresh();
    const count = draft.filter((piece) => this.of(piece)).length;
    return this.say(
      count
        ? tellCount("{count} message has a proposal.", "{count} messages have a proposal.", count)
        : tell("Nothing to propose for what is left unchanged."),
    );
  }

  // The texts proposed for a piece that is still one message of the original; undefined without a proposal.
  of(piece) {
    const [source] = piece.sources;
    const own = this.original[source];
    const texts = this.texts[source];
    const untouched = piece.sources.length === 1 && own.text === piece.text && own.speaker === piece.speaker;
    const differs = texts?.length > 1 || (texts && texts[0] !== piece.text);
    return untouched && differs && !this.dismissed.has(source) ? texts : undefined;
  }

  decorate(element, piece) {
    const there = element.querySelector("[data-proposal]");
    const texts = this.of(piece);
    if (!texts) {
      there?.remove();
      return;
    }
    const key = JSON.stringify([this.by, texts]);
    if (there?.dataset.key === key) {
      return;
    }
    const box = this.template.content.firstElementChild.cloneNode(true);
    box.dataset.key = key;
    const bubbles = texts.map((text) => {
      const item = document.createElement("li");
      item.className = "bubble";
      item.dir = "auto";
      item.textContent = text;
      return item;
    });
    box.querySelector("[data-proposed]").replaceChildren(...bubbles);
    there?.remove();
    element.append(box);
  }

  dismiss(piece) {
    this.dismissed.add(piece.sources[0]);
    this.refresh();
  }
}

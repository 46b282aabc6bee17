// Sends operations as they are made. Unconfirmed ones wait in memory and are sent again until the server confirms
// them; the page says "Saved" only once the server has.

import { post } from "../posting.js";
import { tell } from "../words.js";

const PAUSE = 250;
const LONGEST_WAIT = 5000;
const AT_ONCE = 500;

export class Saver {
  // `say(text, tone)` shows a state; `conflict(answer)` resolves a change that somebody else made.
  constructor(form, url, version, { say, conflict }) {
    Object.assign(this, { form, url, version, say, conflict });
    this.waiting = [];
    this.busy = false;
    this.failures = 0;
    this.stopped = false;
    this.isExpecting = false;
    window.addEventListener("online", () => this.flush());
  }

  get isSettled() {
    return !this.waiting.length && !this.busy;
  }

  // Typed text that is not yet an operation, so the server does not have everything.
  expect(whether) {
    if (whether === this.isExpecting) {
      return;
    }
    this.isExpecting = whether;
    if (!this.failures && !this.stopped && (whether || this.isSettled)) {
      this.say(whether ? tell("Saving…") : tell("Saved"), whether ? "" : "ok");
    }
  }

  add(body) {
    this.waiting.push({ id: crypto.randomUUID(), body, done: performance.now() });
    if (!this.failures) {
      this.say(tell("Saving…"));
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), PAUSE);
  }

  message() {
    const operations = this.waiting
      .slice(0, AT_ONCE)
      .map(({ id, body, done }) => ({ id, body, age: Math.round(performance.now() - done) }));
    return { version: this.version, operations };
  }

  async flush() {
    if (this.busy || this.stopped || !this.waiting.length) {
      return;
    }
    clearTimeout(this.timer);
    this.busy = true;
    const message = this.message();
    const [status, answer] = await post(this.url, message, this.form);
    this.busy = false;
    this.settle(status, answer, message.operations.length);
  }

  settle(status, answer, count) {
    if (status === 200) {
      this.failures = 0;
      this.version = answer.version;
      this.waiting.splice(0, count);
      return this.waiting.length ? this.flush() : this.settled();
    }
    if (status === 409) {
      return this.conflict(answer);
    }
    if (status === 404 || status === 400) {
      this.stopped = true;
      const reason = answer.detail ?? tell("The server cannot keep this.");
      return this.say(status === 404 ? tell("This dialogue is no longer yours to change.") : reason, "refused");
    }
    this.say(this.wait(status, answer), "waiting");
    this.failures += 1;
    this.timer = setTimeout(() => this.flush(), Math.min(500 * 2 ** this.failures, LONGEST_WAIT));
  }

  // Why nothing is kept yet. The server knows when somebody else is logged in.
  wait(status, answer) {
    if (status !== 403) {
      return tell("Not saved yet, retrying. Keep this page open; nothing is lost.");
    }
    const loggedOut = tell("Not saved yet: you are logged out. Log in in another tab; this page then sends your changes.");
    return answer.cause ? answer.detail : loggedOut;
  }

  settled() {
    if (!this.isExpecting) {
      this.say(tell("Saved"), "ok");
    }
    this.whenSettled?.();
  }

  // Resolves once the server has everything.
  async finished() {
    if (!this.isSettled) {
      const settled = new Promise((resolve) => (this.whenSettled = resolve));
      this.flush();
      await settled;
      this.whenSettled = null;
    }
  }

  // Continue from another version with these operations instead of the waiting ones.
  restart(version, bodies) {
    this.version = version;
    this.waiting = [];
    this.failures = 0;
    bodies.forEach((body) => this.add(body));
    if (!bodies.length) {
      this.settled();
    }
  }

  // The page is closing: send once more, by a request that outlives it.
  leave() {
    if (this.waiting.length && !this.stopped) {
      post(this.url, this.message(), this.form, true);
    }
  }
}

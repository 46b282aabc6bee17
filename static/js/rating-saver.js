// Sends drafts and the submission. Nothing is kept in the browser's storage: what the server has not
// confirmed waits in memory and is sent again until confirmed. The page says "Saved" only once the server has.

import { post } from "./posting.js";
import { tell } from "./words.js";

const PAUSE = 150;
const LONGEST_WAIT = 8000;

export class Saver {
  // `say(text, tone)` shows a state; `conflict(answer)` lets the rater choose between two drafts.
  constructor(form, urls, version, { say, conflict }) {
    Object.assign(this, { form, urls, version, say, conflict });
    this.waiting = null;
    this.busy = false;
    this.sending = null;
    this.submitting = false;
    this.failures = 0;
    window.addEventListener("online", () => this.flush());
  }

  get isSettled() {
    return !this.waiting && !this.busy && !this.submitting;
  }

  change(answer) {
    this.waiting = answer;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), PAUSE);
  }

  async flush() {
    if (this.busy || this.submitting || !this.waiting) {
      return;
    }
    clearTimeout(this.timer);
    this.busy = true;
    const answer = this.waiting;
    this.sending = post(this.urls.draft, { version: this.version, ...answer }, this.form);
    const [status, reply] = await this.sending;
    this.busy = false;
    if (status === 200) {
      this.version = reply.version;
    }
    // A submission started since then decides the scores; if it is refused, the next draft carries the version.
    if (!this.submitting) {
      this.settle(status, reply, answer);
    }
  }

  settle(status, reply, answer) {
    if (status === 200) {
      this.failures = 0;
      this.waiting = this.waiting === answer ? null : this.waiting;
      return this.waiting ? this.flush() : this.say(tell("Saved"), "ok");
    }
    if (status === 409 && reply.draft) {
      this.version = reply.version;
      this.waiting = null;
      return this.conflict(reply.draft);
    }
    return this.again(status, reply, () => this.flush());
  }

  // Retry what may resolve itself; otherwise say what to do.
  again(status, reply, retry) {
    if ([400, 404, 409].includes(status)) {
      const reason = reply.detail ?? tell("The server cannot keep this.");
      return this.say(reason, status === 404 ? "lost" : "refused");
    }
    this.say(this.wait(status, reply), "waiting");
    this.failures += 1;
    this.timer = setTimeout(retry, Math.min(500 * 2 ** this.failures, LONGEST_WAIT));
  }

  // Why nothing is kept yet. The server knows when somebody else is logged in.
  wait(status, reply) {
    if (status !== 403) {
      return tell("Not saved yet, retrying");
    }
    const loggedOut = tell("Not saved yet: you are logged out. Log in in another tab; this page then sends your scores.");
    return reply.cause ? reply.detail : loggedOut;
  }

  // Returns the next address once the server has kept the rating, or null if it refused.
  async submit(submissionId, answer) {
    clearTimeout(this.timer);
    this.submitting = true;
    this.say(tell("Sending…"), "waiting");
    // Let a draft in flight arrive first: after the submission it would look like another tab's.
    await this.sending;
    for (;;) {
      const [status, reply] = await post(this.urls.submit, { submission_id: submissionId, ...answer }, this.form);
      if (status === 200) {
        this.waiting = null;
        return reply.next;
      }
      if ([400, 404, 409].includes(status)) {
        this.submitting = false;
        this.again(status, reply);
        return null;
      }
      await new Promise((resolve) => this.again(status, reply, resolve));
    }
  }

  // The page is closing: send once more, by a request that outlives it.
  leave() {
    if (this.waiting && !this.submitting) {
      post(this.urls.draft, { version: this.version, ...this.waiting }, this.form, true);
    }
  }
}

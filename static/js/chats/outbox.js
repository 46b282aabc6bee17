// What the person wrote until the server has it. It survives a reload, a crash and a log-out: the browser keeps it under
// the chat's own name, and forgets it once the server has it.

import { post } from "../posting.js";

const LONGEST_WAIT = 10000;

export class Outbox {
  // `told(id, status, detail)` hears how each sending went: status 200, a refusal's, or 0 while nobody answers.
  constructor(form, told) {
    Object.assign(this, { form, told, failures: 0, busy: false });
    // A key a message, so that two tabs do not overwrite each other's.
    this.prefix = `chat-${form.dataset.chat}-`;
    this.kept = this.read();
    window.addEventListener("online", () => this.flush());
  }

  read() {
    try {
      const keys = Object.keys(localStorage).filter((key) => key.startsWith(this.prefix));
      return keys.map((key) => JSON.parse(localStorage.getItem(key))).sort((one, other) => one.at - other.at);
    } catch {
      return [];
    }
  }

  add(text) {
    const message = { id: crypto.randomUUID(), text, at: Date.now() };
    this.kept.push(message);
    try {
      localStorage.setItem(this.prefix + message.id, JSON.stringify(message));
    } catch {
      // A browser that keeps nothing still sends.
    }
    this.flush();
    return message;
  }

  remove(id) {
    this.kept = this.kept.filter((message) => message.id !== id);
    localStorage.removeItem(this.prefix + id);
  }

  // One after the other, so that they arrive in the order in which they were written.
  async flush() {
    if (this.busy || !this.kept.length) {
      return;
    }
    this.busy = true;
    clearTimeout(this.timer);
    const message = this.kept[0];
    const [status, answer] = await post(this.form.dataset.send, message, this.form);
    this.busy = false;
    this.told(message.id, status, answer.detail);
    if (status === 200 || status === 400 || status === 409) {
      this.failures = 0;
      this.remove(message.id);
      this.flush();
    } else {
      // Nobody answered, or the person is logged out: try again, less and less often.
      this.failures += 1;
      this.timer = setTimeout(() => this.flush(), Math.min(500 * 2 ** this.failures, LONGEST_WAIT));
    }
  }
}

// A draft with everything that led to it: the log of operations, replayed from the original.

import { tell } from "../words.js";
import { begin, change, EditError } from "./editing.js";

export class History {
  constructor(original, log = []) {
    this.drafts = [begin(original)];
    this.before = [];
    this.undone = [];
    log.forEach((body) => this.apply(body));
  }

  get draft() {
    return this.drafts.at(-1);
  }

  // How many operations the log has.
  get version() {
    return this.drafts.length - 1;
  }

  // Do one operation; if that is impossible, throws EditError and changes nothing.
  apply(body) {
    const now = this.draft;
    let after;
    if (body.op === "undo") {
      after = taken(this.before, tell("There is nothing to undo."));
      this.undone.push(now);
    } else if (body.op === "redo") {
      after = taken(this.undone, tell("There is nothing to redo."));
      this.before.push(now);
    } else {
      after = body.op === "rewind" ? this.rewound(body.to) : change(now, body);
      this.before.push(now);
      this.undone = [];
    }
    this.drafts.push(after);
    return after;
  }

  rewound(to) {
    if (!(to >= 0 && to <= this.version)) {
      throw new EditError(tell("There are {count} operations to go back through.", { count: this.version }));
    }
    return this.drafts[to];
  }
}

function taken(drafts, otherwise) {
  if (!drafts.length) {
    throw new EditError(otherwise);
  }
  return drafts.pop();
}

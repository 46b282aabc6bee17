// Practice feedback: the keys that lead on from a dialogue work here, too.

import { listen } from "./rating-keys.js";

const on = document.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
const goOn = () => document.querySelector("[data-next]").click();

listen({ Enter: goOn, [on]: goOn, escape() {} });
for (const hint of document.querySelectorAll("[data-key-hint]")) {
  hint.hidden = false;
}

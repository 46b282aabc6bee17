// Tells the user when a background request was refused or never arrived.

import { tell } from "./words.js";

const box = document.querySelector("[data-status]");

function show(text) {
  const notice = document.createElement("p");
  notice.className = "notice notice--danger";
  notice.textContent = text;
  box.replaceChildren(notice);
}

document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  if (status === 403) {
    show(
      tell(
        "The server refused this: your session may have ended or your role changed. Reload the page and try again.",
      ),
    );
  } else {
    show(
      tell("The server could not do this (error {status}). What you typed is still here; try again in a moment.", {
        status,
      }),
    );
  }
});

document.addEventListener("htmx:sendError", () => {
  show(tell("The server cannot be reached. What you typed is still here; try again once you are online."));
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) {
    box.replaceChildren();
  }
});

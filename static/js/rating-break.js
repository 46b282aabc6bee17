// The break reminder: put away without leaving the page. It takes neither the focus nor any key.

export function watchBreak(form, andThen) {
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual" }).catch(() => {});
    form.remove();
    andThen();
  });
}

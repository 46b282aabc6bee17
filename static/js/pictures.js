// A figure is drawn when it is first asked for, which may take seconds: its empty place says so until it comes.

for (const picture of document.querySelectorAll("[data-picture]")) {
  const place = picture.parentElement;
  if (!picture.complete && picture.getClientRects().length) {
    place.dataset.drawing = "";
    for (const end of ["load", "error"]) {
      picture.addEventListener(end, () => place.removeAttribute("data-drawing"));
    }
  }
}

// A figure is drawn on first request, which may take seconds; its placeholder says so until it arrives.

for (const picture of document.querySelectorAll("[data-picture]")) {
  const place = picture.parentElement;
  if (!picture.complete && picture.getClientRects().length) {
    place.dataset.drawing = "";
    for (const end of ["load", "error"]) {
      picture.addEventListener(end, () => place.removeAttribute("data-drawing"));
    }
  }
}

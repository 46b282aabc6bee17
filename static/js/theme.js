// The theme switch: system, light or dark, remembered in this browser.

const root = document.documentElement;

function apply(theme) {
  if (theme === "system") {
    delete root.dataset.theme;
  } else {
    root.dataset.theme = theme;
  }
}

function remember(theme) {
  try {
    if (theme === "system") {
      localStorage.removeItem("theme");
    } else {
      localStorage.setItem("theme", theme);
    }
  } catch {
    // Without storage the choice lasts for this page.
  }
}

for (const group of document.querySelectorAll("[data-theme-switch]")) {
  const current = root.dataset.theme ?? "system";
  group.querySelector(`input[value="${current}"]`).checked = true;
  group.hidden = false;
  group.addEventListener("change", (event) => {
    apply(event.target.value);
    remember(event.target.value);
  });
}

// Draws interactive charts over the server's pictures; without this script the pictures stay.
// `ast` makes Vega walk its expressions instead of compiling them, as the content security policy demands.

const dark = matchMedia("(prefers-color-scheme: dark)");
const views = new Map();
let bundle = null;

function theme() {
  return document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light");
}

function load(source) {
  bundle ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = source;
    script.onload = () => resolve(window.vegaEmbed);
    script.onerror = reject;
    document.head.append(script);
  });
  return bundle;
}

const tip = document.createElement("div");
tip.className = "chart-tip";
tip.hidden = true;
document.body.append(tip);

// Vega's own tooltip writes style elements, which the policy blocks; this one only moves an element.
function showTip(_handler, event, _item, value) {
  tip.hidden = value === null || value === undefined || value === "";
  if (tip.hidden) {
    return;
  }
  const lines = Object.entries(value).map(([name, shown]) => {
    const line = document.createElement("div");
    line.textContent = `${name}: ${shown}`;
    return line;
  });
  tip.replaceChildren(...lines);
  tip.style.left = `${Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8)}px`;
  tip.style.top = `${Math.min(event.clientY + 12, innerHeight - tip.offsetHeight - 8)}px`;
}

async function draw(figure) {
  const embed = await load(figure.dataset.chartScript);
  const answer = await fetch(`${figure.dataset.chart}&theme=${theme()}`);
  if (!answer.ok) {
    throw new Error(`chart: ${answer.status}`);
  }
  const area = figure.querySelector("[data-chart-area]");
  const place = document.createElement("div");
  place.className = "chart-live";
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", area.querySelector("img").alt);
  area.append(place);
  const spec = await answer.json();
  // Fill the frame's width but keep the text size: a picture shrunk to a phone would be too small to read.
  spec.width = Math.min(area.clientWidth - 2 * parseFloat(getComputedStyle(area).paddingLeft), 560);
  spec.height = 360;
  spec.autosize = { type: "fit", contains: "padding" };
  const options = { ast: true, actions: false, renderer: "canvas", defaultStyle: false, tooltip: showTip };
  try {
    const drawn = await embed(place, spec, options);
    views.get(figure)?.remove();
    views.set(figure, { remove: () => { drawn.finalize(); place.remove(); } });
    figure.classList.add("chart--live");
  } catch (problem) {
    place.remove();
    throw problem;
  }
}

function drawOrKeep(figure) {
  draw(figure).catch((problem) => console.warn("The chart stays a picture:", problem));
}

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries.filter((found) => found.isIntersecting)) {
    seen.unobserve(entry.target);
    drawOrKeep(entry.target);
  }
});
const redraw = () => [...views.keys()].forEach(drawOrKeep);

document.querySelectorAll("[data-chart]").forEach((figure) => seen.observe(figure));
dark.addEventListener("change", redraw);
new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });

// Keeps a run's page up to date from its event stream. Without this module, reloading the page does the same.

const root = document.querySelector("[data-run-events]");
const number = new Intl.NumberFormat("en");

function write(name, value) {
  const element = root.querySelector(`[data-live="${name}"]`);
  const text = typeof value === "number" ? number.format(value) : value;
  if (element && element.textContent !== text) {
    element.textContent = text;
  }
  return element;
}

function showStage(stage) {
  const element = root.querySelector(`[data-stage="${stage.stage}"]`);
  if (!element) {
    return;
  }
  const failed = stage.failed ? `, ${number.format(stage.failed)} failed` : "";
  element.querySelector("[data-stage-text]").textContent =
    `${number.format(stage.done)} of ${number.format(stage.total)}${failed}`;
  const bar = element.querySelector("progress");
  bar.max = Math.max(1, stage.total);
  bar.value = stage.done;
}

function causeItem({ cause, label, count }) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  const much = document.createElement("span");
  link.href = `?state=failed&outcome=${encodeURIComponent(cause)}#calls`;
  link.textContent = label;
  much.className = "meta";
  much.textContent = number.format(count);
  item.append(link, " ", much);
  return item;
}

let causesShown = null;

function showCauses(causes) {
  const signature = JSON.stringify(causes);
  if (signature !== causesShown) {
    causesShown = signature;
    root.querySelector("[data-causes]").replaceChildren(...causes.map(causeItem));
    root.querySelector("[data-causes-section]").hidden = causes.length === 0;
  }
}

function show(progress) {
  for (const name of ["sentence", "in_flight", "waiting", "calls_per_second", "tokens", "spent"]) {
    write(name, progress[name]);
  }
  write("advice", progress.advice).hidden = !progress.advice;
  progress.stages.forEach(showStage);
  showCauses(progress.causes);
  document.title = `${progress.done}/${progress.dialogues} ${progress.name} · Stephanie`;
}

function follow() {
  const source = new EventSource(root.dataset.runEvents);
  source.addEventListener("message", (event) => {
    const progress = JSON.parse(event.data);
    show(progress);
    // Other buttons belong to another state, and the table below has its final rows.
    if (progress.state !== root.dataset.runState) {
      source.close();
      location.reload();
    }
  });
  source.addEventListener("end", () => source.close());
}

if (root) {
  follow();
}

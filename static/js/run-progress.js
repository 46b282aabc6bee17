// Keeps a run's page up to date from its event stream. Without this module, reloading the page does the same.

const root = document.querySelector("[data-run-events]");
const number = new Intl.NumberFormat("en");
const PLAIN = ["sentence", "in_flight", "to_store", "in_batch", "waiting", "calls_per_second", "time_left", "tokens", "spent_words", "forecast_words"];

function write(name, value) {
  const element = root.querySelector(`[data-live="${name}"]`);
  const text = typeof value === "number" ? number.format(value) : value;
  if (element && element.textContent !== text) {
    element.textContent = text;
  }
  return element;
}

function showStage(stage) {
  const element = root.querySelector(`[data-stage="${stage.key}"]`);
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

function showEndpoint(endpoint) {
  const element = root.querySelector(`[data-endpoint="${endpoint.endpoint}"]`);
  if (element) {
    element.querySelector("[data-endpoint-words]").textContent = endpoint.words;
    element.querySelector("[data-endpoint-refusals]").textContent = number.format(endpoint.refusals);
  }
}

function causeItem({ cause, label, count }) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  const much = document.createElement("span");
  const calls = root.querySelector("[data-causes]").dataset.callsUrl;
  link.href = `${calls}?state=failed&outcome=${encodeURIComponent(cause)}`;
  link.textContent = label;
  much.className = "meta";
  much.textContent = number.format(count);
  item.append(link, " ", much);
  return item;
}

let causesShown = null;

function showCauses(causes) {
  const signature = JSON.stringify(causes);
  const list = root.querySelector("[data-causes]");
  if (list && signature !== causesShown) {
    causesShown = signature;
    list.replaceChildren(...causes.map(causeItem));
    root.querySelector("[data-causes-section]").hidden = causes.length === 0;
  }
}

function showBatch(batch) {
  const element = root.querySelector(`[data-batch="${batch.batch}"]`);
  if (element) {
    element.querySelector("[data-batch-words]").textContent = batch.words;
    element.querySelector("[data-batch-answered]").textContent = number.format(batch.answered);
    element.querySelector("[data-batch-errors]").textContent = number.format(batch.errors);
  }
}

function show(progress) {
  for (const name of PLAIN) {
    write(name, progress[name]);
  }
  write("advice", progress.advice).hidden = !progress.advice;
  progress.stages.forEach(showStage);
  progress.endpoints.forEach(showEndpoint);
  progress.batches.forEach(showBatch);
  showCauses(progress.causes);
  document.title = `${progress.done}/${progress.dialogues} ${progress.name} · Stephanie`;
}

function lineIsLost(lost) {
  root.querySelector('[data-live="line"]').hidden = !lost;
}

function follow() {
  const source = new EventSource(root.dataset.runEvents);
  source.addEventListener("open", () => lineIsLost(false));
  source.addEventListener("error", () => {
    lineIsLost(true);
    // The browser retries a broken stream, but not a refused one.
    if (source.readyState === EventSource.CLOSED) {
      setTimeout(follow, 5000);
    }
  });
  source.addEventListener("message", (event) => {
    const progress = JSON.parse(event.data);
    lineIsLost(false);
    show(progress);
    // Another state has other buttons and final figures, so load the page again.
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

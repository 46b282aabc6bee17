// Copies a report's table to the clipboard as tab-separated text, which spreadsheets and editors both take.

const cellText = (cell) => cell.innerText.trim().replace(/\s+/g, " ");
const rowText = (row) => [...row.cells].map(cellText).join("\t");

async function copyTable(button) {
  const table = document.getElementById(button.dataset.copyTable).querySelector("table");
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText([...table.rows].map(rowText).join("\n"));
    button.textContent = "Copied";
  } catch {
    button.textContent = "Could not copy";
  }
  setTimeout(() => { button.textContent = label; }, 2000);
}

for (const button of document.querySelectorAll("[data-copy-table]")) {
  // The clipboard exists only in a secure context; without it the button stays hidden, and CSV remains.
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", () => copyTable(button));
}

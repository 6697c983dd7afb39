/** Candle files: chosen, dropped, or the example that comes with the page. */

import { byId } from "./dom.js";
import { seriesButton } from "./file_series.js";
import { clearMessages, showError, showNotes } from "./messages.js";

/** Accept files of candles, which are sent to `POST /candles`. `onCandles(source)` is called with the candles of each. */
export function acceptFiles(api, onCandles) {
  const open = (file) => openFile(api, file, onCandles);
  const input = byId("file");
  byId("open-file").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    if (input.files.length) open(input.files[0]);
    input.value = "";
  });
  byId("example").addEventListener("click", async () => open(await exampleFile()));
  acceptDrops(open);
}

/** `given` is what the user says of the file: its symbol, interval and time zone. */
async function openFile(api, file, onCandles, given = {}) {
  clearMessages();
  byId("open-file").setAttribute("aria-busy", "true");
  try {
    const { symbol, interval, candles, notes = [] } = await api.postFile("/candles", { fileName: file.name, ...given }, file);
    onCandles({ title: `${symbol} · ${interval}`, symbol, interval, rows: candles.map(rowOf) });
    showNotes(file.name, notes);
  } catch (error) {
    const retry = (answer) => openFile(api, file, onCandles, answer);
    showError(error, file.name, error.status === 422 ? seriesButton(given, retry) : null);
  } finally {
    byId("open-file").removeAttribute("aria-busy");
  }
}

/** A row of the series from a kline. */
export function rowOf([openTime, open, high, low, close, volume]) {
  return { openTime, open, high, low, close, volume, filled: false };
}

/** The example: inside a page that is one file, otherwise beside it. */
async function exampleFile() {
  const inline = byId("example-candles");
  const text = inline ? inline.textContent.trim() : await (await fetch("assets/example.csv")).text();
  return new File([text], "DEMOUSD-1m.csv");
}

function acceptDrops(open) {
  const hint = byId("drop-hint");
  const isFile = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  let depth = 0; // an event for each element that is entered and left
  addEventListener("dragenter", (event) => {
    if (isFile(event)) hint.hidden = ++depth === 0;
  });
  addEventListener("dragleave", (event) => {
    if (isFile(event)) hint.hidden = --depth <= 0;
  });
  addEventListener("dragover", (event) => isFile(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!isFile(event)) return;
    event.preventDefault();
    depth = 0;
    hint.hidden = true;
    open(event.dataTransfer.files[0]);
  });
}

/** What a file may not say of itself: its symbol, its interval, and the zone of its times. */

import { byId, element } from "./dom.js";

const FIELDS = { symbol: "file-symbol", interval: "file-interval", timezone: "file-timezone" };

/** A button that asks for them. `onAnswer(query)` is called with what the user enters; `given` is what the fields begin with. */
export function seriesButton(given, onAnswer) {
  return element("button", { type: "button", class: "ask", onclick: () => ask(given, onAnswer) }, "Symbol, interval, time zone…");
}

function ask(given, onAnswer) {
  const dialog = byId("file-dialog");
  for (const [name, id] of Object.entries(FIELDS)) byId(id).value = given[name] ?? "";
  dialog.returnValue = "";
  dialog.addEventListener("close", () => dialog.returnValue === "read" && onAnswer(answer()), { once: true });
  dialog.showModal();
}

function answer() {
  const entered = Object.entries(FIELDS).map(([name, id]) => [name, byId(id).value.trim()]);
  return Object.fromEntries(entered.filter(([, value]) => value));
}

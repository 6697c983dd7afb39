/** Messages below the header: errors of the API as they are, and notes about what was read. */

import { byId, element } from "./dom.js";

const MAX_LINES = 6;

export function clearMessages() {
  byId("messages").replaceChildren();
}

/** Show an error, about a file for example, until it is closed or the next message replaces it. `action` is a button that may help. */
export function showError(error, subject = "", action = null) {
  const lines = (error.errors ?? []).map(({ pointer, detail }) => (pointer ? `${pointer}: ${detail}` : detail));
  const detail = error.title ? error.detail : error.message;
  const title = error.title ?? "Error";
  show("error", subject ? `${subject}: ${title}` : title, lines.length ? lines : [detail], action);
}

/** Show notes, such as what the server assumed about a file. */
export function showNotes(title, notes) {
  if (notes.length) show("note", title, notes);
}

function show(kind, title, lines, action = null) {
  const shown = lines.slice(0, MAX_LINES).map((line) => element("li", {}, line));
  if (lines.length > MAX_LINES) shown.push(element("li", {}, `and ${lines.length - MAX_LINES} more`));
  const close = element("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: clearMessages }, "×");
  const role = kind === "error" ? "alert" : null;
  const parts = [element("strong", {}, title), element("ul", {}, ...shown), action, close];
  byId("messages").replaceChildren(element("div", { class: `message ${kind}`, role }, ...parts));
}

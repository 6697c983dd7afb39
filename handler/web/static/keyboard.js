/** The keys of the page, which the help lists. */

import { byId } from "./dom.js";

const PAGE_CANDLES = 30;

/** Let keys move the cursor of the workspace. */
export function listenToKeys(workspace) {
  const moves = {
    ArrowLeft: () => workspace.step(-1),
    ArrowRight: () => workspace.step(1),
    PageUp: () => workspace.step(-PAGE_CANDLES),
    PageDown: () => workspace.step(PAGE_CANDLES),
    Home: () => workspace.stepToEnd(true),
    End: () => workspace.stepToEnd(false),
    Enter: () => workspace.explain(),
    Escape: () => workspace.release(),
  };
  const commands = {
    "?": () => byId("help-dialog").showModal(),
    "/": () => byId("symbol").focus(),
    o: () => byId("open-file").click(),
  };
  byId("help").addEventListener("click", commands["?"]);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const { target, key } = event;
    if (target.closest("input, select, textarea")) {
      if (key === "Escape") target.blur();
      return;
    }
    const isOnControl = target.closest("button, a, [role=tab]") && (key === "Enter" || key.startsWith("Arrow"));
    const action = commands[key] ?? (byId("chart-view").hidden || isOnControl ? undefined : moves[key]);
    if (!action) return;
    event.preventDefault();
    action();
  });
}

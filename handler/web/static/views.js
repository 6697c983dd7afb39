/** The tabs: the chart and the scorecard. */

import { byId } from "./dom.js";

const VIEWS = ["chart", "scorecard"];

/** Let the tabs choose a view; `onShow[view]()` is called when it is shown. Returns a function that shows one. */
export function startViews(onShow) {
  const tabs = VIEWS.map((view) => byId(`tab-${view}`));
  const show = (view) => {
    VIEWS.forEach((each, at) => {
      byId(`${each}-view`).hidden = each !== view;
      tabs[at].setAttribute("aria-selected", String(each === view));
      tabs[at].tabIndex = each === view ? 0 : -1;
    });
    onShow[view]?.();
  };
  tabs.forEach((tab, at) => {
    tab.addEventListener("click", () => show(VIEWS[at]));
    tab.addEventListener("keydown", ({ key }) => {
      const next = tabs[(at + (key === "ArrowRight" ? 1 : -1) + tabs.length) % tabs.length];
      if (key === "ArrowRight" || key === "ArrowLeft") {
        next.focus();
        next.click();
      }
    });
  });
  return show;
}

/** The model that answers. */

import { byId, element } from "./dom.js";

/** Show the model as `GET /model` describes it. */
export function showModel(model) {
  const rows = {
    Model: `${model.name} ${model.version}`,
    Engine: model.engine,
    Horizon: `${model.horizonCandles} candles`,
    ...(model.training && trainingRows(model.training)),
  };
  const rejected = model.rejected
    ? [element("p", { class: "note warn" }, `Version ${model.rejected.version ?? "?"} was rejected: ${model.rejected.reason}`)]
    : [];
  byId("model").replaceChildren(
    element("h3", {}, "Model in service"),
    element("dl", {}, ...Object.entries(rows).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])),
    ...rejected,
  );
}

function trainingRows({ symbols, interval, from, to }) {
  return { "In sample": `${from} to ${to}`, Symbols: symbols.length, Intervals: interval };
}

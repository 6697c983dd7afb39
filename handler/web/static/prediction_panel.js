/** The numbers at the cursor: the candle, what was predicted, and what then happened. */

import { byId, choiceButtons, element } from "./dom.js";
import { percentText, priceText, shortNumber, timeText } from "./format.js";
import { OUTPUTS, predictedAt, priceAfter } from "./outputs.js";

const MAX_LIVE_DELAY_MS = 60_000;
const SCOPES = {
  true: ["in sample", "warn", "The model may have been trained on this window: it says nothing about its quality."],
  false: ["out of sample", "good", "The model was not trained on this window."],
  null: ["training period unknown", "", "The model does not say what it was trained on."],
};

/**
 * Show the candle at the cursor. `result` is undefined while it is loading, and null if there is none. `onHorizon(horizon)` is called for
 * the choice of another horizon, `onExplain()` for a press of the button.
 */
export function showPrediction({ row, result, outcome, horizons, horizon, onHorizon, onExplain }) {
  const predicted = predictedAt(result, horizon);
  byId("prediction").replaceChildren(
    element("h3", {}, element("time", { datetime: new Date(row.openTime).toISOString() }, `${timeText(row.openTime)} UTC`)),
    element("div", { class: "badges" }, ...badges(result)),
    ...(horizons.length > 1 ? [choiceButtons("Horizon", horizons.map((each) => [each, `${each} candles`]), horizon, onHorizon)] : []),
    predicted ? table(row.close, predicted, outcome, horizon) : element("p", { class: "note" }, absence(result)),
    predicted ? explainButton(onExplain) : "",
  );
}

/** The candle at the cursor in one line above the chart. */
export function showLegend(row) {
  const values = { O: row.open, H: row.high, L: row.low, C: row.close };
  const parts = Object.entries(values).map(([name, price]) => element("span", {}, element("b", {}, name), ` ${priceText(price)}`));
  byId("legend").replaceChildren(
    ...parts,
    element("span", {}, element("b", {}, "V"), ` ${shortNumber(row.volume)}`),
    ...(row.filled ? [element("span", { class: "badge" }, "missing, filled")] : []),
  );
}

/** A sentence for screen readers. */
export function spokenPrediction(row, result, horizon) {
  const predicted = predictedAt(result, horizon);
  const values = predicted ? OUTPUTS.map(({ name, title }) => `${title} ${percentText(predicted[name])}`).join(", ") : absence(result);
  return `${timeText(row.openTime)}, close ${priceText(row.close)}. ${values}`;
}

function badges(result) {
  if (!result?.predictions) return [];
  const [text, tone, title] = SCOPES[String(result.inSample ?? null)];
  const shown = [element("span", { class: `badge ${tone}`, title }, text)];
  if (result.filledCandles) shown.push(element("span", { class: "badge" }, `${result.filledCandles} filled candles`));
  if (result.modelVersion) shown.push(element("span", { class: "badge", title: "Made live by this version" }, result.modelVersion));
  if (result.delayMs !== undefined) shown.push(element("span", { class: "badge" }, delayText(result.delayMs)));
  return shown;
}

function delayText(delayMs) {
  return delayMs < MAX_LIVE_DELAY_MS ? `${(delayMs / 1000).toFixed(1)} s after the close` : "made later, after a gap";
}

function absence(result) {
  if (result === undefined) return "Predicting …";
  if (result === null) return "No prediction: it needs 200 candles up to this one.";
  return "No prediction: most of the 200 candles up to this one are missing.";
}

function explainButton(onExplain) {
  return element("button", { type: "button", class: "primary wide", id: "explain", onclick: onExplain }, "Explain this candle");
}

function table(close, predicted, outcome, horizon) {
  const heads = ["", "Predicted", "Price", "Happened"].map((text) => element("th", { scope: "col" }, text));
  const rows = OUTPUTS.map((output) =>
    element(
      "tr",
      { class: output.name },
      element("th", { scope: "row" }, output.title),
      element("td", { "data-output": output.name }, percentText(predicted[output.name])),
      element("td", {}, predictedPrice(close, predicted[output.name])),
      element("td", {}, ...happened(output, predicted, outcome)),
    ),
  );
  const known = outcome?.candles ?? 0;
  const soFar = known < horizon ? `, of which ${known || "none"} closed so far` : "";
  const caption = `Over the next ${horizon} candles${soFar}. Percent of the close, ${priceText(close)}.`;
  return element(
    "table",
    { class: "numbers" },
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...rows),
  );
}

/** The price that is predicted. No price falls by more than 100 %: then a candle of the window is wrong. */
function predictedPrice(close, changePct) {
  return changePct < -100 ? "impossible: check the candles" : priceText(priceAfter(close, changePct));
}

/** What happened, with a mark once it is certain whether the prediction came true. */
function happened({ name, isHit, marks }, predicted, outcome) {
  if (!outcome || (name === "endChangePct" && !outcome.isComplete)) return ["–"];
  const value = outcome[name];
  const hit = isHit(value, predicted[name]);
  if (!hit && !outcome.isComplete) return [percentText(value)];
  const said = marks[hit ? 0 : 1];
  const spoken = element("span", { class: "visually-hidden" }, said);
  return [percentText(value), element("span", { class: `mark ${hit ? "hit" : "miss"}`, title: said }, hit ? "✓" : "✗", spoken)];
}

/** The tables of the scorecard: live figures beside those of the evaluation. */

import { element } from "./dom.js";
import { decimalText, intervalText, percentOf } from "./format.js";
import { OUTPUTS } from "./outputs.js";

const BASELINES = {
  zero: "no change",
  trainingMean: "training mean",
  constantTimesRange: "constant × range",
  har: "HAR of volatility",
  ridge: "ridge regression",
  gradientBoosting: "gradient boosting",
  persistence: "persistence",
  reversal: "reversal",
};
const FIGURES = {
  "R²": ({ r2, r2Interval }) => [decimalText(r2, 3), intervalText(r2Interval, 3)],
  "Rank correlation": ({ rankCorrelation }) => [decimalText(rankCorrelation, 3)],
  "Calibration slope": ({ slope, slopeInterval }) => [decimalText(slope, 2), intervalText(slopeInterval, 2)],
  "Within the 80 % band": ({ coveragePct }) => [percentOf(coveragePct)],
};
const OUTPUT_TITLES = OUTPUTS.map(({ title }) => title);

/** The figures of each output, and of the direction. */
export function outputsTable({ live, evaluated }) {
  const sides = (text) => [live, evaluated].map((side) => (side ? text(side) : ["–"]));
  const rows = OUTPUTS.flatMap(({ name, title }) =>
    Object.entries(FIGURES).map(([figure, text], at) => [at ? "" : title, figure, ...sides((side) => text(side.outputs[name]))]),
  );
  rows.push(["Direction", "Correct", ...sides(({ direction }) => [percentOf(direction.rightPct), intervalText(direction.intervalPct, 1)])]);
  return table("The model, live and as it was evaluated", ["", "", "Live", "Evaluated"], rows);
}

/** R² of the model and of each baseline. */
export function baselinesTable({ live, evaluated }) {
  const names = Object.keys(BASELINES).filter((name) => live.baselines[name] || evaluated?.baselines[name]);
  const cells = (ofLive, ofEvaluation) => OUTPUTS.map(({ name }) => beside(ofLive?.[name]?.r2, ofEvaluation?.[name]?.r2));
  const rows = names.map((name) => [BASELINES[name], ...cells(live.baselines[name]?.outputs, evaluated?.baselines[name]?.outputs)]);
  rows.unshift(["this model", ...cells(live.outputs, evaluated?.outputs)]);
  return table("R² beside the baselines, live (evaluated)", ["", ...OUTPUT_TITLES], rows);
}

/** R² of each symbol. */
export function symbolsTable(bySymbol) {
  const rows = Object.entries(bySymbol).map(([symbol, { live, evaluated }]) => [
    symbol,
    [live.frames.toLocaleString("en-US")],
    ...OUTPUTS.map(({ name }) => beside(live.outputs[name].r2, evaluated?.outputs[name].r2)),
  ]);
  return table("R² by symbol, live (evaluated)", ["", "Predictions", ...OUTPUT_TITLES], rows);
}

/** What a strategy would have earned, and ways to trade without predictions. */
export function paperTable({ strategy, live, evaluated, baselines }) {
  const row = (name, { trades, averageTradeAfterCostBps, afterCostIntervalBps, returnPct }) => [
    name,
    [Math.round(trades).toLocaleString("en-US")],
    [decimalText(averageTradeAfterCostBps, 1), intervalText(afterCostIntervalBps, 1)],
    [percentOf(returnPct)],
  ];
  const rows = [row("live", live), ...(evaluated ? [row("evaluated", evaluated)] : []), ...baselines.map((each) => row(each.name, each))];
  const heads = ["", "Trades", "Average trade after costs, bps", "Return"];
  return table(`Paper profit of the strategy ${strategy}`, heads, rows);
}

function beside(live, evaluated) {
  return [decimalText(live, 3), `(${decimalText(evaluated, 3)})`];
}

/** Rows of text, and of pairs of a value and a fainter addition to it. */
function table(caption, heads, rows) {
  const cell = (content) =>
    typeof content === "string"
      ? element("th", { scope: "row" }, content)
      : element("td", {}, content[0], ...(content[1] ? [element("small", {}, ` ${content[1]}`)] : []));
  const isGrouped = heads[1] === "";
  const isFirst = (row, at) => (isGrouped ? row[0] !== "" : at === 0);
  return element(
    "div",
    { class: "scroll" },
    element(
      "table",
      { class: "numbers scores" },
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
      element("tbody", {}, ...rows.map((row, at) => element("tr", { class: isFirst(row, at) && "first" }, ...row.map(cell)))),
    ),
  );
}

/** The scorecard: live predictions against what happened, beside the evaluation of their model. */

import { byId, element } from "./dom.js";
import { decimalText, intervalText, percentOf, timeText } from "./format.js";
import { OUTPUTS } from "./outputs.js";
import { skillFigure } from "./skill_figure.js";

const TONES = { "as evaluated": "good", "worse than evaluated": "bad", "too early to tell": "" };
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

/** Load and show the scorecard. */
export async function showScorecard(api) {
  const view = byId("scorecard-view");
  view.setAttribute("aria-busy", "true");
  try {
    const { scores, asOf, otherVersions } = await api.getJson("/scorecard");
    const others = otherVersions.length ? ` Not scored, because newer ones have predictions: ${otherVersions.join(", ")}.` : "";
    const asOfText = `As of ${timeText(Date.parse(asOf))} UTC. Intervals are 90 %.${others}`;
    view.replaceChildren(...scores.map(scoreCard), element("p", { class: "note" }, asOfText));
  } catch (error) {
    view.replaceChildren(element("section", { class: "card" }, element("h2", {}, "No scorecard yet"), element("p", { class: "note" }, error.detail ?? error.message)));
  } finally {
    view.removeAttribute("aria-busy");
  }
}

function scoreCard({ exchange, interval, version, horizonCandles, counts, skill, together, bySymbol }) {
  const parts = [
    element("span", { class: `badge ${TONES[skill.answer]}` }, skill.answer),
    element("h2", { class: "headline" }, `${version} on ${exchange}, ${interval}, the next ${horizonCandles} candles`),
    element("p", {}, skill.reason),
    element("p", { class: "note numbers" }, countsText(counts)),
  ];
  if (skill.blocks.length > 1) parts.push(skillFigure(skill));
  if (together) parts.push(outputsTable(together), baselinesTable(together));
  if (together && Object.keys(bySymbol).length > 1) parts.push(symbolsTable(bySymbol));
  return element("section", { class: "card" }, ...parts);
}

function countsText(counts) {
  const reasons = {
    "wait for their outcome": counts.pending,
    "are in sample": counts.inSample,
    "lack candles in the store": counts.missingCandles,
    "are at a gap of the exchange": counts.acrossGaps,
  };
  const excluded = Object.entries(reasons).filter(([, count]) => count).map(([reason, count]) => `${count.toLocaleString("en-US")} ${reason}`);
  const scored = `${counts.scored.toLocaleString("en-US")} of ${counts.predictions.toLocaleString("en-US")} predictions are scored`;
  return excluded.length ? `${scored}; ${excluded.join(", ")}.` : `${scored}.`;
}

function outputsTable({ live, evaluated }) {
  const rows = OUTPUTS.flatMap(({ name, title }) =>
    Object.entries(FIGURES).map(([figure, text], at) => [
      at ? "" : title,
      figure,
      ...[live, evaluated].map((side) => (side ? text(side.outputs[name]) : ["–"])),
    ]),
  );
  const direction = [live, evaluated].map((side) => (side ? [percentOf(side.direction.rightPct), intervalText(side.direction.intervalPct, 1)] : ["–"]));
  rows.push(["Direction", "Correct", ...direction]);
  return scoreTable("The model, live and as it was evaluated", ["", "", "Live", "Evaluated"], rows);
}

function baselinesTable({ live, evaluated }) {
  const names = Object.keys(BASELINES).filter((name) => live.baselines[name] || evaluated?.baselines[name]);
  const r2 = (outputs) => OUTPUTS.map(({ name }) => outputs?.[name]?.r2);
  const cells = (ofLive, ofEvaluation) => r2(ofLive).map((value, at) => beside(value, r2(ofEvaluation)[at]));
  const rows = names.map((name) => [BASELINES[name], ...cells(live.baselines[name]?.outputs, evaluated?.baselines[name]?.outputs)]);
  rows.unshift(["this model", ...cells(live.outputs, evaluated?.outputs)]);
  return scoreTable("R² beside the baselines, live (evaluated)", ["", ...OUTPUTS.map(({ title }) => title)], rows);
}

function symbolsTable(bySymbol) {
  const rows = Object.entries(bySymbol).map(([symbol, { live, evaluated }]) => [
    symbol,
    [live.frames.toLocaleString("en-US")],
    ...OUTPUTS.map(({ name }) => beside(live.outputs[name].r2, evaluated?.outputs[name].r2)),
  ]);
  return scoreTable("R² by symbol, live (evaluated)", ["", "Predictions", ...OUTPUTS.map(({ title }) => title)], rows);
}

function beside(live, evaluated) {
  return [decimalText(live, 3), `(${decimalText(evaluated, 3)})`];
}

/** A table whose first cells are text, and whose others are a value and a fainter addition to it. */
function scoreTable(caption, heads, rows) {
  const cell = (content) =>
    typeof content === "string"
      ? element("th", { scope: "row" }, content)
      : element("td", {}, content[0], ...(content[1] ? [element("small", {}, ` ${content[1]}`)] : []));
  return element(
    "div",
    { class: "scroll" },
    element(
      "table",
      { class: "numbers scores" },
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
      element("tbody", {}, ...rows.map((row) => element("tr", { class: row[0] && heads[1] === "" ? "first" : null }, ...row.map(cell)))),
    ),
  );
}

/** The scorecard: live predictions against what happened, beside the evaluation of their model. */

import { byId, element } from "./dom.js";
import { timeText } from "./format.js";
import { lineFigure } from "./line_figure.js";
import { baselinesTable, outputsTable, paperTable, symbolsTable } from "./score_tables.js";

const TONES = { "as evaluated": "good", "worse than evaluated": "bad", "too early to tell": "" };
const THRESHOLDS = {
  strategy: "its own",
  evaluation: "those that were chosen in the evaluation",
  live: "chosen on the first part of the live days",
};
const MAX_SHOWN_SKILL = 1.5;

/** Load and show the scorecard. */
export async function showScorecard(api) {
  const view = byId("scorecard-view");
  view.setAttribute("aria-busy", "true");
  try {
    const { scores, asOf, days, otherVersions } = await api.getJson("/scorecard");
    const others = otherVersions.length ? ` Not scored, because newer ones have predictions: ${otherVersions.join(", ")}.` : "";
    const asOfText = `As of ${timeText(Date.parse(asOf))} UTC, of the last ${days} days that have candles. Intervals are 90 %.${others}`;
    view.replaceChildren(...scores.map(scoreCard), element("p", { class: "note" }, asOfText));
  } catch (error) {
    const reason = element("p", { class: "note" }, error.detail ?? error.message);
    view.replaceChildren(element("section", { class: "card" }, element("h2", {}, "No scorecard yet"), reason));
  } finally {
    view.removeAttribute("aria-busy");
  }
}

function scoreCard({ exchange, interval, version, horizonCandles, counts, skill, together, bySymbol, paper }) {
  const parts = [
    element("span", { class: `badge ${TONES[skill.answer]}` }, skill.answer),
    element("h2", { class: "headline" }, `${version} on ${exchange}, ${interval}, the next ${horizonCandles} candles`),
    element("p", {}, ...withCode(skill.reason)),
    element("p", { class: "note numbers" }, countsText(counts)),
  ];
  if (skill.blocks.length > 1) parts.push(skillFigure(skill));
  if (together) parts.push(outputsTable(together), baselinesTable(together));
  if (together && Object.keys(bySymbol).length > 1) parts.push(symbolsTable(bySymbol));
  if (paper) parts.push(...paperParts(paper));
  return element("section", { class: "card" }, ...parts);
}

/** A text whose parts between backticks are code. */
function withCode(text) {
  return text.split("`").map((part, at) => (at % 2 ? element("code", {}, part) : part));
}

function countsText(counts) {
  const reasons = [
    [counts.pending, "waits for its outcome", "wait for their outcome"],
    [counts.inSample, "is in sample", "are in sample"],
    [counts.missingCandles, "lacks candles in the store", "lack candles in the store"],
    [counts.acrossGaps, "is at a gap of the exchange", "are at a gap of the exchange"],
  ];
  const excluded = reasons
    .filter(([count]) => count)
    .map(([count, one, several]) => `${count.toLocaleString("en-US")} ${count === 1 ? one : several}`);
  const scored = `${counts.scored.toLocaleString("en-US")} of ${counts.predictions.toLocaleString("en-US")} predictions are scored`;
  return excluded.length ? `${scored}; ${excluded.join(", ")}.` : `${scored}.`;
}

/** The sequential test: where the mean skill is, at all times together. */
function skillFigure({ blocks, evaluatedMean }) {
  return lineFigure({
    days: blocks.map(({ firstDay }) => firstDay),
    values: blocks.map(({ mean }) => mean),
    area: ["low", "high"].map((bound) => blocks.map((block) => block[bound])),
    levels: [["zero", 0], ...(evaluatedMean === null ? [] : [["compared", evaluatedMean]])],
    range: [-MAX_SHOWN_SKILL, MAX_SHOWN_SKILL],
    decimals: 2,
    caption: "The mean skill so far (line), where it is with 95 % probability at all times together (area), and as evaluated (dashed).",
  });
}

function paperParts(paper) {
  const [inTime, late] = [paper.inTime, paper.late].map((count) => count.toLocaleString("en-US"));
  const thresholds = paper.thresholds ? ` Its thresholds are ${THRESHOLDS[paper.chosenOn]}.` : "";
  const made = `Does it make money: ${paper.conclusion}. ${inTime} predictions were made in time to trade, ${late} were not.${thresholds}`;
  const parts = [paperTable(paper), element("p", { class: "note" }, made)];
  if (paper.equity.length > 1) {
    parts.push(
      lineFigure({
        days: paper.equity.map(({ day }) => day),
        values: paper.equity.map(({ equity }) => equity),
        levels: [["zero", 1]],
        decimals: 3,
        caption: "The capital at the end of each day, of an initial 1.",
      }),
    );
  }
  return parts;
}

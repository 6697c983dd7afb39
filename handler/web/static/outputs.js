/** What the model predicts. */

const REACHED = ["price reached", "price not reached"];
const DIRECTION = ["right direction", "wrong direction"];

/** `isHit(actual, predicted)` says whether a prediction came true, and `marks` how that is called: if so, and if not. */
export const OUTPUTS = [
  { name: "maxRisePct", title: "Max rise", isHit: (actual, predicted) => actual >= predicted, marks: REACHED },
  { name: "maxDeclinePct", title: "Max decline", isHit: (actual, predicted) => actual <= predicted, marks: REACHED },
  { name: "endChangePct", title: "End change", isHit: (actual, predicted) => actual * predicted > 0, marks: DIRECTION },
];

/** The horizons of a model in candles, the first one first. */
export function modelHorizons(model) {
  const further = model.outputs.map(({ name }) => /^maxRisePctH(\d+)$/.exec(name)).filter(Boolean);
  return [model.horizonCandles, ...further.map((match) => Number(match[1]))];
}

/** The predictions of a result at a horizon, or null. */
export function predictedAt(result, horizon) {
  return result?.horizons?.[horizon] ?? result?.predictions ?? null;
}

/** The price after a change in percent. */
export function priceAfter(close, changePct) {
  return close * (1 + changePct / 100);
}

/** The name of an output at a horizon; that of the first horizon is the plain one. */
export function outputName(name, horizon, horizons) {
  return horizon === horizons[0] ? name : `${name}H${horizon}`;
}

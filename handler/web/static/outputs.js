/** What the model predicts. */

export const OUTPUTS = [
  { name: "maxRisePct", title: "Max rise" },
  { name: "maxDeclinePct", title: "Max decline" },
  { name: "endChangePct", title: "End change" },
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

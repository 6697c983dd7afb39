/** Numbers and times as text. All times are UTC. */

const MINUS = "−";

/** A time in milliseconds: `2026-01-31 12:05`. */
export function timeText(timeMs) {
  return new Date(timeMs).toISOString().slice(0, 16).replace("T", " ");
}

/** A change with its sign: `+0.42 %`. */
export function percentText(value, decimals = 2) {
  const text = Math.abs(value).toFixed(decimals);
  const sign = Number(text) === 0 ? "" : value < 0 ? MINUS : "+";
  return `${sign}${text} %`;
}

/** The decimals that show five significant digits of a price. */
export function priceDecimals(price) {
  return Math.min(10, Math.max(0, 4 - Math.floor(Math.log10(Math.abs(price) || 1)), price < 100000 ? 2 : 0));
}

/** A price: `64,250.10`. */
export function priceText(price, decimals = priceDecimals(price)) {
  const text = Math.abs(price).toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return price < 0 ? MINUS + text : text;
}

/** A large number in short: `1.25 M`. */
export function shortNumber(value) {
  const [size, unit] = [[1e9, " G"], [1e6, " M"], [1e3, " k"]].find(([each]) => Math.abs(value) >= each) ?? [1, ""];
  return `${(value / size).toLocaleString("en-US", { maximumSignificantDigits: 4 })}${unit}`;
}

/** A number with its sign if it is negative; a dash if there is none. */
export function decimalText(value, decimals) {
  if (value === null || value === undefined) return "–";
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

/** A number in percent, without a sign if it is positive; a dash if there is none. */
export function percentOf(value) {
  return value === null || value === undefined ? "–" : `${decimalText(value, 1)} %`;
}

/** The bounds of an interval: `[0.05, 0.17]`; nothing if there are none. */
export function intervalText(bounds, decimals) {
  return bounds ? `[${decimalText(bounds[0], decimals)}, ${decimalText(bounds[1], decimals)}]` : "";
}

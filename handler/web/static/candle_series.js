/** The candles of one symbol. */

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const MAX_FILLED = 100_000;
const MAX_GAP_SENT = 500;

/** The candles of a prediction's window. */
export const WINDOW = 200;

/**
 * Candles at equal time steps. A missing candle is filled with the close before it and no volume, as the model's windows are; with
 * `gaps: "skip"` the candle after a gap follows the one before it. A row is {openTime, open, high, low, close, volume, filled}.
 */
export class CandleSeries {
  constructor({ symbol, interval, rows, gaps = "fill" }) {
    this.symbol = symbol;
    this.interval = interval;
    this.intervalMs = Number.parseInt(interval, 10) * UNIT_MS[interval.at(-1)];
    this.gaps = gaps;
    this.rows = [];
    this.filledCount = 0;
    this.indexes = new Map();
    for (const row of rows) this.append(row);
  }

  get length() {
    return this.rows.length;
  }

  /** Add a newer candle, or replace the stored one of the same time. Returns whether the series has changed. */
  append(row) {
    const known = this.indexes.get(row.openTime);
    if (known !== undefined) {
      this.rows[known] = row;
      return true;
    }
    const last = this.rows.at(-1);
    if (last && row.openTime < last.openTime) return false;
    if (last && this.gaps === "fill") this.#fill(last, row.openTime);
    this.#push(row);
    return true;
  }

  /**
   * The request for the predictions of windows that end at candles `first` to `last`. The server fills its missing candles itself, between
   * candles that it has; of a very long gap, it gets a filled one.
   */
  request(first, last) {
    const earliest = Math.max(0, first - WINDOW + 1);
    const candles = this.rows
      .slice(this.#existing(earliest, -1), this.#existing(last, 1) + 1)
      .filter((row, at, { length }) => at === 0 || at === length - 1 || !row.filled)
      .map(klineOf);
    return { symbol: this.symbol, interval: this.interval, candles, gaps: this.gaps };
  }

  /** The request for one window, with its filled candles as they are drawn. */
  windowRequest(index) {
    const candles = this.rows.slice(index - WINDOW + 1, index + 1).map(klineOf);
    return { symbol: this.symbol, interval: this.interval, candles, gaps: this.gaps };
  }

  /**
   * What happened in the `horizon` candles after a candle, in percent of its close, and at which candles; `candles` is how many of them are
   * known. Null if none is.
   */
  outcome(index, horizon) {
    const after = this.rows.slice(index + 1, index + 1 + horizon);
    if (!after.length) return null;
    let highest = 0;
    let lowest = 0;
    after.forEach((row, at) => {
      if (row.high > after[highest].high) highest = at;
      if (row.low < after[lowest].low) lowest = at;
    });
    const change = (price) => 100 * (price / this.rows[index].close - 1);
    return {
      maxRisePct: change(after[highest].high),
      maxDeclinePct: change(after[lowest].low),
      endChangePct: change(after.at(-1).close),
      highestIndex: index + 1 + highest,
      lowestIndex: index + 1 + lowest,
      lastIndex: index + after.length,
      candles: after.length,
      isComplete: after.length === horizon,
    };
  }

  /** The nearest candle in a direction that is not filled, unless that is very far. */
  #existing(index, direction) {
    let at = index;
    while (this.rows[at]?.filled && Math.abs(at - index) < MAX_GAP_SENT) at += direction;
    return this.rows[at] ? at : index;
  }

  #push(row) {
    this.indexes.set(row.openTime, this.rows.length);
    this.rows.push(row);
    if (row.filled) this.filledCount += 1;
  }

  #fill(last, stopTime) {
    const { close } = last;
    const missing = (stopTime - last.openTime) / this.intervalMs - 1;
    if (missing > MAX_FILLED) throw new Error(`${Math.round(missing)} candles in a row are missing: skip gaps, or open a shorter file`);
    for (let openTime = last.openTime + this.intervalMs; openTime < stopTime; openTime += this.intervalMs) {
      this.#push({ openTime, open: close, high: close, low: close, close, volume: 0, filled: true });
    }
  }
}

function klineOf({ openTime, open, high, low, close, volume }) {
  return [openTime, open, high, low, close, volume];
}

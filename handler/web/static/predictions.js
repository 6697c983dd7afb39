/** The predictions of one series, requested in blocks when they are needed. */

import { WINDOW } from "./candle_series.js";

const BLOCK = 250;

export class Predictions {
  /** `onModel(model)` is called with the model of each response. */
  constructor(api, series, onModel) {
    this.api = api;
    this.series = series;
    this.onModel = onModel;
    this.stored = new Map();
    this.requested = new Map();
    this.pending = new Map();
  }

  /** The result for the window that ends at a candle, if it is known. */
  known(index) {
    const openTime = this.series.rows[index]?.openTime;
    return this.stored.get(openTime) ?? this.requested.get(openTime);
  }

  /** Store a result that came from elsewhere, such as the live store. */
  put(openTime, result) {
    this.stored.set(openTime, result);
  }

  /** Request results again when they are needed: another model is in service. */
  forgetRequested() {
    this.requested.clear();
  }

  /** The result for the window that ends at a candle; null if there are too few candles before it. Throws `ApiError`. */
  async at(index) {
    if (!this.known(index) && index >= WINDOW - 1) await this.#load(Math.floor(index / BLOCK), index);
    return this.known(index) ?? null;
  }

  #load(block, index) {
    const first = Math.max(block * BLOCK, WINDOW - 1);
    const last = Math.min((block + 1) * BLOCK, this.series.length) - 1;
    const key = `${block}:${last}`;
    if (!this.pending.has(key)) {
      const loading = this.#request(first, Math.max(last, index)).finally(() => this.pending.delete(key));
      this.pending.set(key, loading);
    }
    return this.pending.get(key);
  }

  async #request(first, last) {
    const { rows, intervalMs, gaps } = this.series;
    const { model, results } = await this.api.postJson("/predictions", this.series.request(first, last));
    this.onModel(model);
    results.forEach((result, at) => {
      // the times of a series whose gaps are skipped are those of a series without
      const openTime = gaps === "skip" ? rows[last + 1 + at - results.length].openTime : result.closeTime + 1 - intervalMs;
      if (openTime >= rows[first].openTime) this.requested.set(openTime, result);
    });
  }
}

/** Candles and predictions as `coinfarm watch` stores them. */

import { byId, element } from "./dom.js";
import { timeText } from "./format.js";
import { showError } from "./messages.js";

const CHECK_MS = 2_000;
const LATE_MS = 15_000;

export class Live {
  #api;
  #workspace;
  #events = null;
  #newestClose = 0;
  #intervalMs = 0;

  constructor(api, workspace) {
    this.#api = api;
    this.#workspace = workspace;
    setInterval(() => this.#showState(), CHECK_MS);
  }

  /** Offer the series of the store, and show the first one if nothing else is shown. */
  async start() {
    const choice = byId("live");
    const { series } = await this.#api.getJson("/live");
    const options = series.map((each) => element("option", { value: JSON.stringify(each) }, label(each)));
    choice.replaceChildren(element("option", { value: "" }, series.length ? "Live …" : "No live candles yet"), ...options);
    choice.hidden = false;
    choice.addEventListener("change", () => choice.value && this.#open(JSON.parse(choice.value)));
    if (series.length && !byId("empty").hidden) {
      choice.value = JSON.stringify(series[0]);
      await this.#open(series[0]);
    }
  }

  /** Stop following a series: another one is shown. */
  stop() {
    this.#events?.close();
    this.#events = null;
    byId("live-state").hidden = true;
    byId("live").value = "";
  }

  async #open(series) {
    this.#events?.close();
    this.#events = null;
    try {
      const { rows, position } = await this.#api.getJson("/live", series);
      const results = new Map(rows.map((row) => [row.candle.openTime, resultOf(row)]));
      this.#workspace.open({ title: label(series), symbol: series.symbol, interval: series.interval, rows: rows.map(candleOf), results });
      this.#newestClose = 0;
      this.#note(rows.at(-1));
      this.#follow(series, position);
    } catch (error) {
      showError(error);
    }
  }

  #follow(series, position) {
    const query = new URLSearchParams({ ...series, after: position });
    this.#events = new EventSource(`${this.#api.url}/live/events?${query}`);
    this.#events.addEventListener("open", () => this.#showState());
    this.#events.addEventListener("error", () => this.#showState());
    this.#events.addEventListener("candle", ({ data }) => {
      const row = JSON.parse(data);
      this.#workspace.append(candleOf(row), resultOf(row));
      this.#note(row);
    });
  }

  #note({ candle }) {
    this.#newestClose = Math.max(this.#newestClose, candle.closeTime);
    this.#intervalMs = candle.closeTime + 1 - candle.openTime;
    this.#showState();
  }

  #showState() {
    if (!this.#events) return;
    const isLate = Date.now() > this.#newestClose + this.#intervalMs + LATE_MS;
    const states = {
      [EventSource.CONNECTING]: "reconnecting …",
      [EventSource.OPEN]: isLate ? `no candle since ${timeText(this.#newestClose)} UTC` : "live",
      [EventSource.CLOSED]: "the server refuses the stream",
    };
    const state = states[this.#events.readyState];
    const badge = byId("live-state");
    badge.hidden = false;
    badge.textContent = state;
    badge.className = `badge ${state === "live" ? "live" : "warn"}`;
  }
}

function label({ symbol, interval, exchange }) {
  return `${symbol} · ${interval} · ${exchange}`;
}

function candleOf({ candle }) {
  return { ...candle, filled: Boolean(candle.filled) };
}

/** A result as `POST /predictions` has it; the names of further horizons end in H and their candles. */
function resultOf({ inSample, filledCandles, predictions, modelVersion, predictedAt, closeTime }) {
  const horizons = {};
  for (const [name, value] of Object.entries(predictions ?? {})) {
    const [, output, candles] = /^(\w+Pct)H(\d+)$/.exec(name) ?? [];
    if (output) horizons[candles] = { ...horizons[candles], [output]: value };
  }
  return { inSample, filledCandles, predictions, horizons, ...(predictions && { modelVersion, delayMs: predictedAt - closeTime }) };
}

/** Candles and predictions as `coinfarm watch` stores them. */

import { byId, element } from "./dom.js";
import { timeText } from "./format.js";
import { showError } from "./messages.js";

const CHECK_MS = 2_000;
const LATE_MS = 15_000;
const OFFER_MS = 5_000;

export class Live {
  #api;
  #workspace;
  #onOpen;
  #events = null;
  #series = null;
  #position = "";
  #newestClose = 0;
  #intervalMs = 0;

  /** `onOpen()` is called when a series is shown. */
  constructor(api, workspace, onOpen) {
    this.#api = api;
    this.#workspace = workspace;
    this.#onOpen = onOpen;
    setInterval(() => this.#showState(), CHECK_MS);
    // a browser allows few connections to a server, so pages that nobody sees keep none
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#events?.close() : this.#follow()));
  }

  /** Offer the series of the store, and show the first one if nothing else is shown. */
  async start() {
    const choice = byId("live");
    choice.addEventListener("change", () => choice.value && this.#open(JSON.parse(choice.value)));
    choice.hidden = false;
    await this.#offer(choice);
  }

  async #offer(choice) {
    const { series } = await this.#api.getJson("/live");
    const options = series.map((each) => element("option", { value: JSON.stringify(each) }, label(each)));
    choice.replaceChildren(element("option", { value: "" }, series.length ? "Live …" : "No live candles yet"), ...options);
    if (!series.length) setTimeout(() => this.#offer(choice).catch(showError), OFFER_MS);
    if (series.length && !byId("empty").hidden) {
      choice.value = JSON.stringify(series[0]);
      await this.#open(series[0]);
    }
  }

  /** Stop following a series: another one is shown. */
  stop() {
    this.#disconnect();
    byId("live-state").hidden = true;
    byId("live").value = "";
  }

  #disconnect() {
    this.#events?.close();
    this.#events = null;
    this.#series = null;
  }

  async #open(series) {
    this.#disconnect();
    try {
      const { rows, position } = await this.#api.getJson("/live", series);
      const results = new Map(rows.map((row) => [row.candle.openTime, resultOf(row)]));
      this.#workspace.open({ title: label(series), symbol: series.symbol, interval: series.interval, rows: rows.map(candleOf), results });
      this.#onOpen();
      this.#newestClose = 0;
      this.#note(rows.at(-1));
      this.#series = series;
      this.#position = position;
      this.#follow();
    } catch (error) {
      showError(error);
    }
  }

  /** Follow the series from the position on up to which it is known. */
  #follow() {
    if (!this.#series) return;
    const query = new URLSearchParams({ ...this.#series, after: this.#position });
    this.#events?.close();
    this.#events = new EventSource(`${this.#api.url}/live/events?${query}`);
    this.#events.addEventListener("open", () => this.#showState());
    this.#events.addEventListener("error", () => this.#showState());
    this.#events.addEventListener("candle", ({ data, lastEventId }) => {
      const row = JSON.parse(data);
      this.#position = lastEventId || this.#position;
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

/** The series on the chart, and the cursor on it. */

import { CandleSeries, WINDOW } from "./candle_series.js";
import { Chart } from "./chart.js";
import { byId, choiceButtons } from "./dom.js";
import { ExplanationPanel } from "./explanation_panel.js";
import { showError } from "./messages.js";
import { modelHorizons } from "./outputs.js";
import { showLegend, showPrediction, spokenPrediction } from "./prediction_panel.js";
import { Predictions } from "./predictions.js";

const EXPLAIN_DELAY_MS = 250;
const GAPS = [["fill", "Fill missing candles"], ["skip", "Skip them"]];

export class Workspace {
  #api;
  #chart;
  #panel;
  #onModel;
  #series = null;
  #predictions = null;
  #horizons = [30];
  #horizon = 30;
  #cursor = -1;
  #isPinned = false;
  #explaining = 0;

  /** `onModel(identity)` is called with the model of each response. */
  constructor(api, onModel) {
    this.#api = api;
    this.#onModel = onModel;
    this.#chart = new Chart(byId("canvas"), {
      onHover: (index) => this.#isPinned || this.#moveTo(index),
      onSelect: (index) => this.explain(index),
    });
    this.#panel = new ExplanationPanel(api, this.#chart);
  }

  /** Use the horizons of the model in service, as `GET /model` describes it. */
  setModel(model) {
    this.#horizons = modelHorizons(model);
    this.#horizon = this.#horizons[0];
    this.#predictions?.forgetRequested();
    if (this.#series) this.#moveTo(this.#cursor);
  }

  /** Show candles, `{title, symbol, interval, rows, gaps}`, with the cursor at the last one. `results` are predictions that are known. */
  open(shown) {
    const { title, results = new Map(), ...source } = shown;
    this.#series = new CandleSeries(source);
    this.#predictions = new Predictions(this.#api, this.#series, this.#onModel);
    results.forEach((result, openTime) => this.#predictions.put(openTime, result));
    this.release();
    byId("title").textContent = title;
    this.#offerGaps(shown);
    byId("empty").hidden = true;
    this.#chart.setSeries(this.#series, this.#furthest);
    this.#chart.showInSample((index) => this.#predictions.known(index)?.inSample === true);
    return this.#moveTo(this.#series.length - 1);
  }

  /** Add a candle of the series with its prediction, or replace a corrected one. A cursor at the last candle moves on with it. */
  append(row, result) {
    const wasAtEnd = this.#cursor === this.#series.length - 1 && !this.#isPinned;
    if (!this.#series.append(row)) return;
    this.#predictions.put(row.openTime, result);
    this.#chart.update(row);
    this.#moveTo(wasAtEnd ? this.#series.length - 1 : this.#cursor);
    if (wasAtEnd) this.#chart.keepVisible(this.#cursor, this.#furthest);
  }

  /** Move the cursor by a number of candles, and the chart with it. An open explanation follows. */
  step(candles) {
    if (!this.#series) return;
    const index = Math.min(this.#series.length - 1, Math.max(0, this.#cursor + candles));
    if (this.#isPinned) this.explain(index, EXPLAIN_DELAY_MS);
    else this.#moveTo(index);
    this.#chart.keepVisible(index, this.#furthest);
    byId("spoken").textContent = spokenPrediction(this.#series.rows[index], this.#predictions.known(index), this.#horizon);
  }

  /** Move to the first candle with a prediction, or to the last one. */
  stepToEnd(isFirst) {
    if (this.#series) this.step((isFirst ? Math.min(WINDOW, this.#series.length) : this.#series.length) - 1 - this.#cursor);
  }

  /** Keep the cursor at a candle, and explain its prediction. */
  explain(index = this.#cursor, delayMs = 0) {
    if (!this.#series) return;
    this.#isPinned = true;
    this.#moveTo(index);
    clearTimeout(this.#explaining);
    this.#explaining = setTimeout(() => this.#explainNow(index), delayMs);
  }

  /** Let the cursor follow the mouse again, and hide the explanation. */
  release() {
    clearTimeout(this.#explaining);
    this.#isPinned = false;
    this.#panel.hide();
  }

  /** Draw everything again, such as in other colours. */
  redraw() {
    this.#chart.redraw();
    if (this.#series) this.#moveTo(this.#cursor);
  }

  get #furthest() {
    return Math.max(...this.#horizons);
  }

  /** Let missing candles be filled or skipped, if there are any; a live series is as its store has it. */
  #offerGaps(shown) {
    const { gaps = "fill", results } = shown;
    const place = byId("gaps");
    place.hidden = Boolean(results) || (gaps === "fill" && !this.#series.filledCount);
    place.replaceChildren(choiceButtons("Missing candles", GAPS, gaps, (choice) => this.open({ ...shown, gaps: choice })));
  }

  async #explainNow(index) {
    try {
      const result = await this.#predictions.at(index);
      if (!result?.predictions) return this.#panel.hide();
      this.#chart.showWindow(index - WINDOW + 1, index, this.#furthest);
      return await this.#panel.show(this.#series, index, { horizon: this.#horizon, horizons: this.#horizons });
    } catch (error) {
      this.#panel.hide();
      return showError(error);
    }
  }

  async #moveTo(index) {
    this.#cursor = index;
    const predictions = this.#predictions;
    this.#showCursor(predictions.known(index));
    if (predictions.known(index)) return;
    try {
      const result = await predictions.at(index);
      if (predictions === this.#predictions && index === this.#cursor) this.#showCursor(result);
    } catch (error) {
      if (predictions === this.#predictions) showError(error);
    }
  }

  #showCursor(result) {
    const row = this.#series.rows[this.#cursor];
    const outcome = this.#series.outcome(this.#cursor, this.#horizon);
    const shared = { result, outcome, horizons: this.#horizons, horizon: this.#horizon };
    this.#chart.showBand({ index: this.#cursor, close: row.close, ...shared });
    showLegend(row);
    showPrediction({ row, ...shared, onHorizon: (horizon) => this.#choose(horizon), onExplain: () => this.explain() });
  }

  #choose(horizon) {
    this.#horizon = horizon;
    if (this.#isPinned) this.explain();
    else this.#moveTo(this.#cursor);
    document.querySelector("#prediction [aria-pressed=true]")?.focus(); // the panel has new buttons
  }
}

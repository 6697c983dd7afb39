/** Draws the prediction at the cursor: a band over the candles after it, and what then happened. A primitive of lightweight-charts. */

import { OUTPUTS, predictedAt, priceAfter } from "./outputs.js";
import { colour } from "./theme.js";

/** The prices of a prediction, in the order of `OUTPUTS`. */
function prices(close, predicted) {
  return OUTPUTS.map(({ name }) => priceAfter(close, predicted[name]));
}

export class Band {
  #chart;
  #series;
  #update;
  #shown = null;
  #labels = [];
  #views = [
    { zOrder: () => "bottom", renderer: () => ({ draw: (target) => this.#draw(target, drawFill) }) },
    { zOrder: () => "top", renderer: () => ({ draw: (target) => this.#draw(target, drawLevels, true) }) },
  ];

  attached({ chart, series, requestUpdate }) {
    this.#chart = chart;
    this.#series = series;
    this.#update = requestUpdate;
  }

  /**
   * Show the cursor at a candle: `{index, close, result, horizons, horizon, outcome}`. `result` is null while it is unknown, `outcome`
   * null if nothing followed. Null hides everything.
   */
  show(shown) {
    this.#shown = shown;
    this.#labels = this.#priceLabels();
    this.#update?.();
  }

  paneViews() {
    return this.#views;
  }

  priceAxisViews() {
    return this.#labels;
  }

  /** The band is part of what the price scale has to show. */
  autoscaleInfo(first, last) {
    const predicted = this.#predicted();
    const { index, close, horizon } = this.#shown ?? {};
    if (!predicted || index > last || index + horizon < first) return null;
    const levels = [close, ...prices(close, predicted)];
    return { priceRange: { minValue: Math.min(...levels), maxValue: Math.max(...levels) } };
  }

  #predicted() {
    return this.#shown && predictedAt(this.#shown.result, this.#shown.horizon);
  }

  #priceLabels() {
    const predicted = this.#predicted();
    if (!predicted) return [];
    const colours = ["green", "red", "blue"];
    return prices(this.#shown.close, predicted).map((price, at) => ({
      coordinate: () => this.#series.priceToCoordinate(price) ?? -1000,
      text: () => this.#series.priceFormatter().format(price),
      textColor: () => colour("surface"),
      backColor: () => colour(colours[at]),
    }));
  }

  #draw(target, drawBand, isOnTop = false) {
    if (!this.#shown) return;
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      const x = (index) => this.#chart.timeScale().logicalToCoordinate(index);
      const y = (price) => this.#series.priceToCoordinate(price);
      const { index, close, result, horizons, horizon, outcome } = this.#shown;
      if (isOnTop) drawCursor(context, x(index), mediaSize.height);
      for (const each of horizons) {
        const predicted = predictedAt(result, each);
        if (predicted) drawBand(context, [x(index), x(index + each)], y(close), prices(close, predicted).map(y), each === horizon);
      }
      if (isOnTop && result?.predictions && outcome) this.#drawOutcome(context, x, y, close, outcome);
    });
  }

  #drawOutcome(context, x, y, close, outcome) {
    const [highest, lowest, end] = prices(close, outcome).map(y);
    drawCircle(context, x(outcome.highestIndex), highest, colour("green"));
    drawCircle(context, x(outcome.lowestIndex), lowest, colour("red"));
    if (outcome.isComplete) drawCircle(context, x(outcome.lastIndex), end, colour("blue"));
  }
}

function drawCursor(context, x, height) {
  context.strokeStyle = colour("muted", 0.7);
  context.lineWidth = 1;
  context.setLineDash([3, 3]);
  drawLine(context, [x, 0], [x, height]);
  context.setLineDash([]);
}

/** The area of a band, behind the candles. That of a horizon that is not selected is fainter. */
function drawFill(context, [left, right], closeY, [riseY, declineY], isSelected) {
  const strength = isSelected ? 0.16 : 0.07;
  fillBetween(context, [left, right], riseY, closeY, colour("green", strength));
  fillBetween(context, [left, right], closeY, declineY, colour("red", strength));
}

/** The highest and lowest price of a band, and the way to the last one. */
function drawLevels(context, [left, right], closeY, [riseY, declineY, endY], isSelected) {
  const strength = isSelected ? 1 : 0.45;
  context.lineWidth = isSelected ? 1.5 : 1;
  context.strokeStyle = colour("green", strength);
  drawLine(context, [left, riseY], [right, riseY]);
  context.strokeStyle = colour("red", strength);
  drawLine(context, [left, declineY], [right, declineY]);
  if (!isSelected) return;
  context.strokeStyle = colour("blue");
  context.lineWidth = 2;
  context.setLineDash([5, 4]);
  drawLine(context, [left, closeY], [right, endY]);
  context.setLineDash([]);
  context.fillStyle = colour("blue");
  context.beginPath();
  context.arc(right, endY, 3.5, 0, 2 * Math.PI);
  context.fill();
}

function fillBetween(context, [left, right], top, bottom, fill) {
  context.fillStyle = fill;
  context.fillRect(left, Math.min(top, bottom), right - left, Math.abs(bottom - top));
}

function drawLine(context, from, to) {
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

function drawCircle(context, x, y, stroke) {
  context.beginPath();
  context.arc(x, y, 4.5, 0, 2 * Math.PI);
  context.fillStyle = colour("surface");
  context.fill();
  context.strokeStyle = stroke;
  context.lineWidth = 2;
  context.stroke();
}

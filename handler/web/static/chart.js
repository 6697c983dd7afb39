/** The chart: candles, volume, the band at the cursor, and the effects of an explanation in a pane of their own. */

import { Band } from "./band.js";
import { priceDecimals } from "./format.js";
import { InSampleShade } from "./in_sample_shade.js";
import { colour } from "./theme.js";

const CANDLE_PX = 5.5;
const FUTURE_MARGIN = 4;
const PANES = { prices: 0, volume: 1, effects: 2 };

/** Candles as lightweight-charts wants them: times in seconds. */
const seconds = (row) => row.openTime / 1000;

export class Chart {
  #chart;
  #candles;
  #volume;
  #effects = null;
  #shownEffects = [];
  #drawn = 0;
  #band = new Band();
  #shade = new InSampleShade();
  #series = null;

  /** `onHover(index)` is called for the candle under the mouse, and `onSelect(index)` for one that is clicked. */
  constructor(container, { onHover, onSelect }) {
    const { createChart, CandlestickSeries, HistogramSeries } = globalThis.LightweightCharts;
    this.#chart = createChart(container, {
      autoSize: true,
      layout: { attributionLogo: false, panes: { enableResize: true } }, // its logo comes with a style element, which the policy forbids
      crosshair: { mode: 0 },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.08, bottom: 0.06 } },
      timeScale: { timeVisible: true, secondsVisible: false, borderVisible: false, minBarSpacing: 0.2 },
      localization: { locale: "en-GB" },
    });
    this.#candles = this.#chart.addSeries(CandlestickSeries, { priceLineVisible: false }, PANES.prices);
    this.#volume = this.#chart.addSeries(
      HistogramSeries,
      { priceFormat: { type: "volume" }, priceLineVisible: false, lastValueVisible: false },
      PANES.volume,
    );
    this.#candles.attachPrimitive(this.#shade);
    this.#candles.attachPrimitive(this.#band);
    this.#setHeights();
    const indexOf = ({ logical }) => (logical === undefined || logical === null ? undefined : Math.round(logical));
    this.#chart.subscribeCrosshairMove((event) => {
      // the chart may also move below a mouse that rests
      if (event.point && event.sourceEvent && this.#isCandle(indexOf(event))) onHover(indexOf(event));
    });
    this.#chart.subscribeClick((event) => this.#isCandle(indexOf(event)) && onSelect(indexOf(event)));
  }

  /** Draw a series, and show its newest candles with room for `futureCandles`. */
  setSeries(series, futureCandles) {
    this.#series = series;
    this.hideEffects();
    this.showBand(null);
    this.#candles.applyOptions({ priceFormat: priceFormat(series.rows.at(-1).close) });
    this.redraw();
    const to = series.length - 1 + futureCandles + FUTURE_MARGIN;
    const width = Math.max(this.#chart.timeScale().width() / CANDLE_PX, 2.5 * futureCandles);
    this.#chart.timeScale().setVisibleLogicalRange({ from: to - width, to });
  }

  /** Draw all candles again, such as after the colours or many candles have changed. */
  redraw() {
    this.#applyColours();
    if (!this.#series) return;
    const { rows } = this.#series;
    this.#drawn = rows.length;
    this.#candles.setData(rows.map((row) => bar(row)));
    this.#volume.setData(rows.map((row) => volumeBar(row)));
    if (this.#effects) this.showEffects(this.#shownEffects);
  }

  /** Draw one new or changed candle. An older one, or one after missing ones, costs as much as all. */
  update(row) {
    const { rows } = this.#series;
    if (row !== rows.at(-1) || rows.length > this.#drawn + 1) return this.redraw();
    this.#drawn = rows.length;
    this.#candles.update(bar(row));
    return this.#volume.update(volumeBar(row));
  }

  /** Scroll only as far as is needed to show a candle and those after it. */
  keepVisible(index, futureCandles) {
    const visible = this.#chart.timeScale().getVisibleLogicalRange();
    if (!visible) return;
    const shift = Math.max(0, index + futureCandles + FUTURE_MARGIN - visible.to) || Math.min(0, index - FUTURE_MARGIN - visible.from);
    if (shift) this.#chart.timeScale().setVisibleLogicalRange({ from: visible.from + shift, to: visible.to + shift });
  }

  /** Zoom out as far as is needed to show a whole window and the candles after it. */
  showWindow(first, last, futureCandles) {
    const visible = this.#chart.timeScale().getVisibleLogicalRange();
    const [from, to] = [first - FUTURE_MARGIN, last + futureCandles + FUTURE_MARGIN];
    if (visible.from > from || visible.to < last) this.#chart.timeScale().setVisibleLogicalRange({ from, to });
  }

  /** See `Band.show`. */
  showBand(shown) {
    this.#band.show(shown);
  }

  /** See `InSampleShade.show`. */
  showInSample(isInSample) {
    this.#shade.show(isInSample);
  }

  /** Bars below the candles: pairs of a candle's index and its effect in percentage points. */
  showEffects(effects) {
    this.#effects ??= this.#chart.addSeries(
      globalThis.LightweightCharts.HistogramSeries,
      { priceFormat: { type: "price", precision: 3, minMove: 0.001 }, priceLineVisible: false, lastValueVisible: false },
      PANES.effects,
    );
    this.#setHeights();
    this.#shownEffects = effects;
    const { rows } = this.#series;
    this.#effects.setData(
      effects.map(([index, value]) => ({ time: seconds(rows[index]), value, color: colour(value < 0 ? "purple" : "orange") })),
    );
  }

  hideEffects() {
    if (!this.#effects) return;
    this.#chart.removeSeries(this.#effects);
    this.#effects = null;
    this.#setHeights();
  }

  #isCandle(index) {
    return this.#series !== null && index !== undefined && index >= 0 && index < this.#series.length;
  }

  #setHeights() {
    const shares = [6, 1.3, 1.5];
    this.#chart.panes().forEach((pane, at) => pane.setStretchFactor(shares[at]));
  }

  #applyColours() {
    const [green, red] = [colour("green"), colour("red")];
    const lines = { color: colour("line", 0.6) };
    this.#chart.applyOptions({
      layout: {
        background: { type: "solid", color: colour("surface") },
        textColor: colour("muted"),
        fontFamily: getComputedStyle(document.body).fontFamily,
        panes: { separatorColor: colour("line"), separatorHoverColor: colour("blue", 0.2) },
      },
      grid: { vertLines: lines, horzLines: lines },
      crosshair: {
        vertLine: { color: colour("muted", 0.6), labelBackgroundColor: colour("muted") },
        horzLine: { color: colour("muted", 0.6), labelBackgroundColor: colour("muted") },
      },
    });
    this.#candles.applyOptions({ upColor: green, downColor: red, borderVisible: false, wickUpColor: green, wickDownColor: red });
  }
}

function bar(row) {
  const { open, high, low, close } = row;
  return { time: seconds(row), open, high, low, close };
}

function volumeBar(row) {
  return { time: seconds(row), value: row.volume, color: colour(row.close < row.open ? "red" : "green", 0.45) };
}

function priceFormat(price) {
  const precision = priceDecimals(price);
  return { type: "price", precision, minMove: 10 ** -precision };
}

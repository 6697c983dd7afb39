/** Shades the candles whose windows may have been trained on. A primitive of lightweight-charts. */

import { colour } from "./theme.js";

export class InSampleShade {
  #chart;
  #update;
  #isInSample = () => false;
  #views = [{ zOrder: () => "bottom", renderer: () => ({ draw: (target) => this.#draw(target) }) }];

  attached({ chart, requestUpdate }) {
    this.#chart = chart;
    this.#update = requestUpdate;
  }

  /** `isInSample(index)` says whether a candle is shaded. */
  show(isInSample) {
    this.#isInSample = isInSample;
    this.#update?.();
  }

  paneViews() {
    return this.#views;
  }

  #draw(target) {
    const scale = this.#chart.timeScale();
    const visible = scale.getVisibleLogicalRange();
    if (!visible) return;
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      const width = scale.options().barSpacing;
      context.fillStyle = colour("orange", 0.09);
      for (let index = Math.max(0, Math.floor(visible.from)); index <= visible.to; index += 1) {
        if (this.#isInSample(index)) context.fillRect(scale.logicalToCoordinate(index) - width / 2, 0, width, mediaSize.height);
      }
    });
  }
}

/** What the model sees at a candle, and which candles moved its prediction. */

import { byId, choiceButtons, element } from "./dom.js";
import { percentText } from "./format.js";
import { OUTPUTS, outputName, predictedAt } from "./outputs.js";

const PARTS = [["all", "All"], ["body", "Bodies"], ["wick", "Wicks"], ["volume", "Volume"]];

export class ExplanationPanel {
  #api;
  #chart;
  #image = null;
  #run = 0;
  #selected = { output: "maxRisePct", part: "all" };

  constructor(api, chart) {
    this.#api = api;
    this.#chart = chart;
  }

  /**
   * Explain the prediction of the window that ends at a candle, at one of the model's horizons. Throws `ApiError`. Another call, or `hide`,
   * makes this one obsolete.
   */
  async show(series, index, { horizon, horizons }) {
    const run = ++this.#run;
    const request = series.windowRequest(index);
    const panel = byId("explanation");
    panel.hidden = false;
    panel.setAttribute("aria-busy", "true");
    if (!panel.childElementCount) panel.append(element("p", { class: "note" }, "Asking the model …"));
    try {
      const [explanation, image] = await Promise.all([
        this.#api.postJson("/explanation", request),
        this.#api.postForImage("/frames", request),
      ]);
      if (run === this.#run) this.#fill(series, index, image, (output) => ({
          predicted: predictedAt(explanation, horizon)[output],
          parts: explanation.effectsPct[outputName(output, horizon, horizons)],
          groups: explanation.groups,
        }));
    } finally {
      if (run === this.#run) panel.removeAttribute("aria-busy");
    }
  }

  hide() {
    this.#run += 1;
    byId("explanation").hidden = true;
    byId("explanation").replaceChildren();
    this.#chart.hideEffects();
  }

  #fill(series, index, image, effectsOf) {
    if (this.#image) URL.revokeObjectURL(this.#image);
    this.#image = URL.createObjectURL(image);
    const draw = () => this.#drawEffects(series, index, effectsOf(this.#selected.output));
    const choose = (key) => (value) => {
      this.#selected[key] = value;
      draw();
    };
    const outputs = OUTPUTS.map(({ name, title }) => [name, title]);
    byId("explanation").replaceChildren(
      element("h3", {}, "What the model sees"),
      element(
        "a",
        { href: this.#image, target: "_blank", title: "Open in full size" },
        element("img", { src: this.#image, alt: `The frame of the ${index + 1}th candle: 200 candles as pixels`, class: "frame" }),
      ),
      element("h3", {}, "Which candles moved it"),
      choiceButtons("Prediction", outputs, this.#selected.output, choose("output")),
      choiceButtons("Pixels", PARTS, this.#selected.part, choose("part")),
      element("p", { class: "note", id: "effect-note" }),
    );
    draw();
  }

  #drawEffects(series, index, { predicted, parts, groups }) {
    const effects = parts[this.#selected.part];
    const sizes = groups.map(({ openTime, closeTime }) => Math.round((closeTime + 1 - openTime) / series.intervalMs));
    const values = sizes.flatMap((size, at) => Array(size).fill(effects[at]));
    const bars = values.map((value, at) => [index + 1 - values.length + at, value]);
    this.#chart.showEffects(bars);
    byId("effect-note").textContent =
      `Below the chart: how the prediction (${percentText(predicted, 3)}) changes if these pixels of a group of candles are erased. ` +
      "Orange raised it, violet lowered it.";
  }
}

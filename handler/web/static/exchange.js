/** Candles of the exchange that the server is connected to. */

import { byId, element } from "./dom.js";
import { rowOf } from "./files.js";
import { clearMessages, showError } from "./messages.js";

/** Offer the symbols of `exchange`. `onCandles(source)` is called with the newest candles of the chosen one. */
export function offerExchange(api, exchange, onCandles) {
  const form = byId("exchange");
  form.hidden = false;
  byId("symbol").title = `A symbol of ${exchange} (/)`;
  const loadSymbols = once(() => listSymbols(api));
  byId("symbol").addEventListener("focus", loadSymbols);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    show(api, exchange, onCandles);
  });
}

async function listSymbols(api) {
  try {
    const { symbols } = await api.getJson("/exchange/symbols");
    byId("symbols").replaceChildren(...symbols.map((symbol) => element("option", { value: symbol })));
  } catch (error) {
    showError(error);
    throw error;
  }
}

async function show(api, exchange, onCandles) {
  clearMessages();
  const form = byId("exchange");
  form.setAttribute("aria-busy", "true");
  try {
    const query = { symbol: byId("symbol").value, interval: byId("interval").value };
    const { symbol, interval, candles } = await api.getJson("/exchange/candles", query);
    onCandles({ title: `${symbol} · ${interval} · ${exchange}`, symbol, interval, rows: candles.map(rowOf) });
  } catch (error) {
    showError(error);
  } finally {
    form.removeAttribute("aria-busy");
  }
}

/** Call a function until it succeeds once. */
function once(load) {
  let isDone = false;
  return async () => {
    if (isDone) return;
    isDone = true;
    await load().catch(() => {
      isDone = false;
    });
  };
}

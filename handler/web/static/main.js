/** Starts the page. */

import { connect, isSingleFile } from "./connection.js";
import { byId } from "./dom.js";
import { offerExchange } from "./exchange.js";
import { acceptFiles } from "./files.js";
import { listenToKeys } from "./keyboard.js";
import { Live } from "./live.js";
import { showError } from "./messages.js";
import { showModel } from "./model_card.js";
import { showScorecard } from "./scorecard.js";
import { startTheme } from "./theme.js";
import { startViews } from "./views.js";
import { Workspace } from "./workspace.js";

async function start() {
  const api = await connect();
  let version = null;
  const workspace = new Workspace(api, (model) => model.version !== version && loadModel().catch(showError));
  const showView = startViews({ scorecard: () => showScorecard(api) });
  const live = new Live(api, workspace, () => showView("chart"));
  const open = (source) => {
    live.stop();
    showView("chart");
    workspace.open(source);
  };

  async function loadModel() {
    const model = await api.getJson("/model");
    version = model.version;
    showModel(model);
    workspace.setModel(model);
  }

  startTheme(() => workspace.redraw());
  listenToKeys(workspace);
  acceptFiles(api, open);
  await loadModel().catch(showError);
  if (!isSingleFile()) await offerServerParts(api, live, open).catch(showError);
  document.documentElement.dataset.state = "ready";
}

/** What only a server has: its exchange, and its store of live predictions. */
async function offerServerParts(api, live, open) {
  const { exchange, liveStore } = await api.getJson("/features");
  if (exchange) offerExchange(api, exchange, open);
  byId("tabs").hidden = !liveStore;
  if (liveStore) await live.start();
}

start();

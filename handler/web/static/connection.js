/** Which API the page asks: the server that it came from, or for a page that is one file, the API that the user names. */

import { Api } from "./api.js";
import { byId } from "./dom.js";

const STORED = "coinfarm-connection";

/** Whether this page is one file, which belongs to no server. */
export function isSingleFile() {
  return document.documentElement.hasAttribute("data-single-file");
}

/** The API of this page: from the server, from this tab's memory, or as the user enters it. */
export async function connect() {
  if (!isSingleFile()) return new Api(location.href.replace(/[^/]*([?#].*)?$/, ""));
  const button = byId("connection");
  button.hidden = false;
  button.addEventListener("click", async () => {
    remember(await ask(stored()));
    location.reload();
  });
  const known = stored();
  const { url, key } = known.url ? known : remember(await ask(known));
  return new Api(url, key);
}

/** The user's answer; the dialog stays until there is one. */
function ask({ url = document.documentElement.dataset.apiUrl ?? "", key = "" }) {
  const dialog = byId("connection-dialog");
  byId("api-url").value = url;
  byId("api-key").value = key;
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.showModal();
  return new Promise((resolve) => {
    byId("connection-form").addEventListener(
      "submit",
      () => resolve({ url: byId("api-url").value.trim(), key: byId("api-key").value.trim() }),
      { once: true },
    );
  });
}

function stored() {
  try {
    return JSON.parse(sessionStorage.getItem(STORED)) ?? {};
  } catch {
    return {};
  }
}

function remember(connection) {
  try {
    sessionStorage.setItem(STORED, JSON.stringify(connection));
  } catch {
    // it holds until the page is loaded again
  }
  return connection;
}

/** Requests to the API. */

/** An error of the API, with the parts of its problem document (RFC 9457). */
export class ApiError extends Error {
  constructor({ title, detail, errors = [], status = 0 }) {
    super(detail ? `${title}: ${detail}` : title);
    this.title = title;
    this.detail = detail ?? "";
    this.errors = errors;
    this.status = status;
  }
}

export class Api {
  /** `url` is the start of all paths; with a `key`, each request has the header x-api-key. */
  constructor(url, key = "") {
    this.url = url.replace(/\/+$/, "");
    this.key = key;
  }

  async getJson(path, query = {}) {
    return (await this.#send("GET", path, query)).json();
  }

  async postJson(path, document) {
    return (await this.#postDocument(path, document)).json();
  }

  /** The PNG of the response. API Gateway sends images only to clients that name their type. */
  async postForImage(path, document) {
    return (await this.#postDocument(path, document, "image/png")).blob();
  }

  async postFile(path, query, file) {
    return (await this.#send("POST", path, query, { body: file, type: "application/octet-stream" })).json();
  }

  #postDocument(path, document, accept = "application/json") {
    return this.#send("POST", path, {}, { body: JSON.stringify(document), type: "application/json", accept });
  }

  async #send(method, path, query, { body, type, accept = "application/json" } = {}) {
    const headers = { Accept: accept, ...(type && { "Content-Type": type }), ...(this.key && { "x-api-key": this.key }) };
    const search = new URLSearchParams(query).toString();
    let response;
    try {
      response = await fetch(`${this.url}${path}${search && `?${search}`}`, { method, headers, body, credentials: "omit" });
    } catch {
      throw new ApiError({ title: "The server cannot be reached", detail: this.#reach() });
    }
    if (!response.ok) throw await problemOf(response);
    return response;
  }

  #reach() {
    const other = this.url.startsWith("http") && new URL(this.url).origin !== location.origin;
    return other ? `${this.url} does not respond, or does not allow this page's origin (CORS_ORIGINS)` : "is coinfarm serve still running?";
  }
}

async function problemOf(response) {
  const text = await response.text();
  try {
    const document = JSON.parse(text);
    return new ApiError({
      title: document.title ?? `HTTP ${response.status}`,
      detail: document.detail ?? document.message,
      errors: document.errors,
      status: response.status,
    });
  } catch {
    return new ApiError({ title: `HTTP ${response.status}`, detail: text.slice(0, 300), status: response.status });
  }
}

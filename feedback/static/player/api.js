// The player's requests to the site. Requests about the queue are sent one after another, so that two presses of "next"
// are two steps, and an older response never replaces a newer one.
const settings = JSON.parse(document.getElementById("player-settings").textContent);
export const texts = settings.texts;

function csrfToken() {
  return JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
}

let last = Promise.resolve();

export class RequestError extends Error {}

const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

// A request that the site cannot take now is retried for ten minutes.
async function fetchWithRetry(url, options) {
  for (let waited = 0; ; ) {
    const response = await fetch(url, { credentials: "same-origin", ...options });
    const seconds = Number(response.headers.get("Retry-After"));
    if (response.status !== 503 || !seconds || waited + seconds > 600) {
      return response;
    }
    await sleep(seconds);
    waited += seconds;
  }
}

async function send(url, options) {
  const response = await fetchWithRetry(url, options);
  if (response.status === 401) {
    throw new RequestError(texts.logged_out);
  }
  if (!response.ok) {
    const isJson = (response.headers.get("Content-Type") || "").startsWith("application/json");
    const { error, reason } = isJson ? await response.json() : {};
    throw Object.assign(new RequestError(error || texts.failed), { reason, isUserFacing: Boolean(error) });
  }
  return response;
}

function body(values) {
  const form = new FormData();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== null && value !== "") {
      form.append(name, value === true ? "on" : value);
    }
  }
  return form;
}

function inSequence(call) {
  const payload = last.then(call).then((response) => response.json());
  last = payload.catch(() => {});
  return payload;
}

export function postQueue(name, values = {}) {
  const headers = { "X-CSRFToken": csrfToken() };
  return inSequence(() => send(settings.urls[name], { method: "POST", headers, body: body(values) }));
}

// A request to Spotify on behalf of the listener, through the site: "token", "devices" or "command".
export async function postSpotify(name, values = {}) {
  const options = { method: "POST", headers: { "X-CSRFToken": csrfToken() }, body: body(values) };
  const response = await send(settings.urls[`spotify_${name}`], options);
  return response.status === 204 ? null : response.json();
}

export function fetchState() {
  return inSequence(() => send(settings.urls.state));
}

// Return the state if it has changed since the last call, else null. Throws if the site does not answer or refuses, with
// `isLoggedOut`, or with `retryMs` if the site says when it will answer again.
let version = "";
export function fetchStateChange() {
  const change = last.then(async () => {
    const response = await fetch(settings.urls.state, {
      credentials: "same-origin", cache: "no-store", headers: { "If-None-Match": version },
    });
    if (response.status === 304) {
      return null;
    }
    if (!response.ok) {
      const retryMs = 1000 * Number(response.headers.get("Retry-After")) || 0;
      throw Object.assign(new RequestError(texts.failed), { isLoggedOut: response.status === 401, retryMs });
    }
    version = response.headers.get("ETag");
    return response.json();
  });
  last = change.catch(() => {});
  return change;
}

// Report whether this page plays, and its position in the song.
export function reportPlaying(values, isClosing = false) {
  if (isClosing) {
    navigator.sendBeacon(settings.urls.playing, body({ ...values, csrfmiddlewaretoken: csrfToken() }));
    return Promise.resolve(null);
  }
  return postQueue("playing", values);
}

export async function fetchQueue() {
  return (await send(settings.urls.queue)).text();
}

// The request outlives the page. `isClosing` sends it as a beacon, as a closing page has to.
export function reportPlay(values, isClosing) {
  const form = body({ ...values, csrfmiddlewaretoken: csrfToken() });
  if (isClosing) {
    navigator.sendBeacon(settings.urls.report, form);
    return Promise.resolve(true);
  }
  return send(settings.urls.report, { method: "POST", body: form, keepalive: true }).then(() => true);
}

export function rate(url, value) {
  const headers = { "X-CSRFToken": csrfToken(), "HX-Request": "true" };
  return send(url, { method: "POST", headers, body: body({ value: String(value) }) });
}

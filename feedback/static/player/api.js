// What the player asks of the site. Requests about the queue go one after another, so that two presses of "next" are two
// steps, and no older answer is taken for a newer one.
const settings = JSON.parse(document.getElementById("player-settings").textContent);
export const texts = settings.texts;

function csrfToken() {
  return JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
}

let last = Promise.resolve();

export class Refused extends Error {}

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

// What the site cannot take just now is sent again, for ten minutes.
async function fetchPatiently(url, options) {
  for (let waited = 0; ; ) {
    const answer = await fetch(url, { credentials: "same-origin", ...options });
    const seconds = Number(answer.headers.get("Retry-After"));
    if (answer.status !== 503 || !seconds || waited + seconds > 600) {
      return answer;
    }
    await pause(seconds);
    waited += seconds;
  }
}

async function send(url, options) {
  const answer = await fetchPatiently(url, options);
  if (answer.status === 401) {
    throw new Refused(texts.logged_out);
  }
  if (!answer.ok) {
    const said = (answer.headers.get("Content-Type") || "").startsWith("application/json") ? await answer.json() : {};
    throw Object.assign(new Refused(said.error || texts.failed), { reason: said.reason, isTold: Boolean(said.error) });
  }
  return answer;
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

function inTurn(call) {
  const answer = last.then(call).then((response) => response.json());
  last = answer.catch(() => {});
  return answer;
}

export function ask(name, values = {}) {
  const headers = { "X-CSRFToken": csrfToken() };
  return inTurn(() => send(settings.urls[name], { method: "POST", headers, body: body(values) }));
}

// Spotify in the listener's name, through the site: "token", "devices" or "command".
export async function spotify(name, values = {}) {
  const options = { method: "POST", headers: { "X-CSRFToken": csrfToken() }, body: body(values) };
  const answer = await send(settings.urls[`spotify_${name}`], options);
  return answer.status === 204 ? null : answer.json();
}

export function readState() {
  return inTurn(() => send(settings.urls.state));
}

// The state where it is another than the last time, else null.
let version = "";
export function readChange() {
  const answer = last.then(async () => {
    const response = await fetch(settings.urls.state, {
      credentials: "same-origin", cache: "no-store", headers: { "If-None-Match": version },
    });
    if (!response.ok) {
      return null;
    }
    version = response.headers.get("ETag");
    return response.json();
  });
  last = answer.catch(() => {});
  return answer;
}

// Whether this page plays, and where in the song it is.
export function tellPlaying(values, isClosing = false) {
  if (isClosing) {
    navigator.sendBeacon(settings.urls.playing, body({ ...values, csrfmiddlewaretoken: csrfToken() }));
    return Promise.resolve(null);
  }
  return ask("playing", values);
}

export async function readQueue() {
  return (await send(settings.urls.queue)).text();
}

// Outlives the page; `isClosing` uses the browser's own way of sending from a page that goes.
export function report(values, isClosing) {
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

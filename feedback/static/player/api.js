// What the player asks of the site. Requests about the queue go one after another, so that two presses of "next" are two
// steps, and no older answer is taken for a newer one.
const settings = JSON.parse(document.getElementById("player-settings").textContent);
export const texts = settings.texts;

function csrfToken() {
  return JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
}

let last = Promise.resolve();

export class Refused extends Error {}

async function send(url, options) {
  const answer = await fetch(url, { credentials: "same-origin", ...options });
  if (answer.status === 401) {
    throw new Refused(texts.logged_out);
  }
  if (!answer.ok) {
    const said = (answer.headers.get("Content-Type") || "").startsWith("application/json") ? await answer.json() : {};
    throw Object.assign(new Refused(said.error || texts.failed), { needsPremium: said.needs_premium });
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

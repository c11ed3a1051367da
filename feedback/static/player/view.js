// The player bar: shows the player's state, and its buttons call the player.
import { texts } from "./api.js";
import { clockTime, interpolate } from "./format.js";
import { toggleRating } from "./ratings.js";
import { connectSleep } from "./sleep.js";

const bar = document.getElementById("player");
const element = (name) => bar.querySelector(`[data-player="${name}"]`);

export function coverAddress(svg) {
  const sized = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" width="256" height="256" ');
  return `data:image/svg+xml,${encodeURIComponent(sized)}`;
}

function showSong(player) {
  const { current, state } = player;
  bar.hidden = !current;
  document.documentElement.toggleAttribute("data-player-shown", Boolean(current));
  element("shuffle").setAttribute("aria-pressed", String(state.shuffle));
  if (!current) {
    setOpen(false);
    return;
  }
  const { track } = current;
  showCover(track);
  element("title").textContent = track.title;
  element("title").href = track.url;
  element("artists").textContent = track.artists;
  const origin = current.is_radio ? texts.radio : state.origin && interpolate(texts.from, { origin: state.origin });
  element("artists").title = origin || "";
  // A link to where cover and sound come from.
  const id = track.sources.spotify.replace(/.*:/, "");
  element("spotify").hidden = !id;
  element("spotify").href = `https://open.spotify.com/track/${id}`;
  showRating(track);
  highlightRows(player);
}

// The drawn cover replaces one that does not load.
function showCover(track) {
  const image = element("cover");
  const drawn = coverAddress(track.cover);
  image.onerror = track.cover_url ? () => { image.onerror = null; image.src = drawn; } : null;
  image.src = track.cover_url || drawn;
}

// Setting the same icon again would make it flicker.
function showIcon(button, name) {
  const use = button.querySelector("use");
  const address = use.getAttribute("href").replace(/#.*$/, `#${name}`);
  if (use.getAttribute("href") !== address) {
    use.setAttribute("href", address);
  }
}

export function showRating(track) {
  for (const [name, value] of [["like", 1], ["dislike", -1]]) {
    const button = element(name);
    const isOn = track.rating === value;
    button.setAttribute("aria-pressed", String(isOn));
    button.title = texts[(isOn ? "un" : "") + name];
    showIcon(button, `hand-thumbs-${name === "like" ? "up" : "down"}${isOn ? "-fill" : ""}`);
  }
}

function showSource(player, name) {
  element("source").textContent = texts[name];
  element("source").title = texts[`${name}_help`];
  element("source-help").textContent = texts[`${name}_help`];
  showSketchNote(player);
  bar.classList.toggle("is-embedded", name === "embed");
}

// A note says once that a sketch is not the recording, with links to the recording.
const SKETCH_NOTE_KEY = "sketch-said";

function showSketchNote(player) {
  const isSketch = player.active?.name === "sketch";
  const links = player.current?.track.links ?? [];
  const list = element("links");
  list.replaceChildren(...(isSketch ? links : []).map(({ name, url }) => {
    const link = document.createElement("a");
    Object.assign(link, { href: url, target: "_blank", rel: "noopener noreferrer", textContent: name });
    link.className = "chip";
    return link;
  }));
  element("sketch-note").hidden = !isSketch || localStorage.getItem(SKETCH_NOTE_KEY) === "yes";
}

function showState(player) {
  const isOn = player.isRunning || (player.shouldPlay && player.active);
  element("play-icon").hidden = isOn;
  element("pause-icon").hidden = !isOn;
  element("toggle").setAttribute("aria-label", isOn ? texts.pause : texts.play);
  highlightRows(player);
  if (player.isRunning && player.current.item !== bar.dataset.announced) {
    bar.dataset.announced = player.current.item;
    const { title: song, artists } = player.current.track;
    element("announce").textContent = interpolate(texts.now, { song, artists, source: texts[player.active.name] });
  }
}

function showTime(player) {
  const seek = element("seek");
  const length = Math.round(player.durationMs);
  seek.max = String(Math.max(length, 1000));
  if (!seek.matches(":active")) {
    seek.value = String(Math.round(player.shownMs));
    element("elapsed").textContent = clockTime(player.shownMs);
  }
  element("line").max = seek.max;
  element("line").value = player.shownMs;
  seek.setAttribute("aria-valuetext", `${clockTime(player.shownMs)} / ${clockTime(length)}`);
  element("length").textContent = clockTime(length);
}

// Highlight the rows of the current song on the open page.
export function highlightRows(player) {
  const id = player.current?.track.id;
  for (const row of document.querySelectorAll(".track-row")) {
    row.classList.toggle("is-current", row.id === `track-${id}`);
  }
  for (const button of document.querySelectorAll("[data-play]")) {
    const isOn = player.isRunning && button.dataset.play === String(id);
    showIcon(button, isOn ? "pause-fill" : "play-fill");
    button.title = isOn ? texts.pause : texts.listen;
    button.dataset.playName ??= button.getAttribute("aria-label");
    const name = isOn ? interpolate(texts.pause_song, { song: player.current.track.title }) : button.dataset.playName;
    if (button.getAttribute("aria-label") !== name) {
      button.setAttribute("aria-label", name);
    }
  }
}

// If something else plays on Spotify, the note names it beside the button that plays our song here again.
export function showNote(text, offersHere = false) {
  element("note").textContent = text;
  element("note").hidden = !text;
  element("here").hidden = !offersHere;
}

const isNarrow = matchMedia("(max-width: 991.98px)");

function setOpen(isOpen) {
  bar.classList.toggle("is-open", isOpen);
  document.documentElement.toggleAttribute("data-player-open", isOpen);
  element("more").setAttribute("aria-expanded", String(isOpen));
  element("more").setAttribute("aria-label", isOpen ? texts.close : texts.open);
  for (const other of document.querySelectorAll("body > header, body > main, body > footer, body > nav")) {
    other.inert = isOpen;
  }
}

export function connectView(player) {
  // What lies above the bar goes by its real height, notes and embedded players included.
  new ResizeObserver(() => {
    if (!bar.classList.contains("is-open")) {
      document.documentElement.style.setProperty("--player-height", `${bar.offsetHeight}px`);
    }
  }).observe(bar);
  player.addEventListener("song", () => { showSong(player); showTime(player); });
  player.addEventListener("backend", (event) => showSource(player, event.detail.name));
  player.addEventListener("state", () => { showState(player); showTime(player); });
  player.addEventListener("time", () => { showTime(player); showState(player); });
  player.addEventListener("note", (event) => showNote(event.detail.text, event.detail.offersHere));
  const onClick = (name, handler) => element(name).addEventListener("click", handler);
  onClick("toggle", () => { player.unlock(); player.toggle(); });
  onClick("here", () => { player.unlock(); player.resume(); });
  onClick("next", () => player.next());
  onClick("previous", () => player.previous());
  onClick("like", () => toggleRating(player, 1));
  onClick("dislike", () => toggleRating(player, -1));
  onClick("shuffle", () => player.change("shuffle", { on: !player.state.shuffle }));
  onClick("more", () => setOpen(!bar.classList.contains("is-open")));
  // On a phone the bar opens to the whole screen, and its title is a link only once it is open.
  bar.querySelector(".player-song").addEventListener("click", (event) => {
    if (isNarrow.matches && !bar.classList.contains("is-open")) {
      event.preventDefault();
      event.stopPropagation();
      setOpen(true);
    }
  }, true);
  isNarrow.addEventListener("change", () => setOpen(false));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && bar.classList.contains("is-open") && !document.querySelector("dialog[open]")) {
      setOpen(false);
      element("more").focus();
    }
  });
  document.body.addEventListener("htmx:beforeHistorySave", () => setOpen(false));
  onClick("why", () => {
    const url = player.current && player.current.track.why_url;
    if (url) {
      window.htmx.ajax("GET", url, { target: "#sheet-body", swap: "innerHTML" });
    }
  });
  onClick("sketch-close", () => {
    localStorage.setItem(SKETCH_NOTE_KEY, "yes");
    element("sketch-note").hidden = true;
  });
  player.sleep = connectSleep(player, element("sleep"));
  const seek = element("seek");
  seek.addEventListener("input", () => { element("elapsed").textContent = clockTime(Number(seek.value)); });
  seek.addEventListener("change", () => player.seek(Number(seek.value)));
  const volume = element("volume");
  volume.value = localStorage.getItem("volume") ?? "100";
  player.setVolume(Number(volume.value) / 100);
  volume.addEventListener("input", () => {
    player.setVolume(Number(volume.value) / 100);
    localStorage.setItem("volume", volume.value);
  });
}

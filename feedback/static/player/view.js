// The bar shows what the player does, and its buttons tell the player what to do.
import { texts } from "./api.js";
import { clockTime, fill } from "./format.js";
import { toggleMark } from "./ratings.js";
import { connectSleep } from "./sleep.js";

const bar = document.getElementById("player");
const part = (name) => bar.querySelector(`[data-player="${name}"]`);

export function coverAddress(svg) {
  const sized = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" width="256" height="256" ');
  return `data:image/svg+xml,${encodeURIComponent(sized)}`;
}

function showSong(player) {
  const { current, state } = player;
  bar.hidden = !current;
  document.documentElement.toggleAttribute("data-player-shown", Boolean(current));
  part("shuffle").setAttribute("aria-pressed", String(state.shuffle));
  if (!current) {
    setOpen(false);
    return;
  }
  const { track } = current;
  showCover(track);
  part("title").textContent = track.title;
  part("title").href = track.url;
  part("artists").textContent = track.artists;
  const origin = current.is_radio ? texts.radio : state.origin && fill(texts.from, { origin: state.origin });
  part("artists").title = origin || "";
  // A way back to where cover and sound are from.
  const id = track.means.spotify.replace(/.*:/, "");
  part("spotify").hidden = !id;
  part("spotify").href = `https://open.spotify.com/track/${id}`;
  showMark(track);
  markRows(player);
}

// The drawn picture stands in where the cover cannot be had.
function showCover(track) {
  const image = part("cover");
  const drawn = coverAddress(track.cover);
  image.onerror = track.cover_url ? () => { image.onerror = null; image.src = drawn; } : null;
  image.src = track.cover_url || drawn;
}

// An icon that is set anew although it is the same one would be gone for a moment.
function showIcon(button, name) {
  const use = button.querySelector("use");
  const address = use.getAttribute("href").replace(/#.*$/, `#${name}`);
  if (use.getAttribute("href") !== address) {
    use.setAttribute("href", address);
  }
}

export function showMark(track) {
  for (const [name, value] of [["like", 1], ["dislike", -1]]) {
    const button = part(name);
    const isOn = track.mark === value;
    button.setAttribute("aria-pressed", String(isOn));
    button.title = texts[(isOn ? "un" : "") + name];
    showIcon(button, `hand-thumbs-${name === "like" ? "up" : "down"}${isOn ? "-fill" : ""}`);
  }
}

function showMeans(player, name) {
  part("means").textContent = texts[name];
  part("means").title = texts[`${name}_help`];
  part("means-help").textContent = texts[`${name}_help`];
  showSketchNote(player);
  bar.classList.toggle("is-embedded", name === "embed");
}

// That a sketch is not the recording is said once, visibly, with where the recording is.
const SKETCH_SAID = "sketch-said";

function showSketchNote(player) {
  const isSketch = player.active?.name === "sketch";
  const links = player.current?.track.links ?? [];
  const list = part("links");
  list.replaceChildren(...(isSketch ? links : []).map(({ name, url }) => {
    const link = document.createElement("a");
    Object.assign(link, { href: url, target: "_blank", rel: "noopener noreferrer", textContent: name });
    link.className = "chip";
    return link;
  }));
  part("sketch-note").hidden = !isSketch || localStorage.getItem(SKETCH_SAID) === "yes";
}

function showState(player) {
  const isOn = player.isRunning || (player.isWanted && player.active);
  part("play-icon").hidden = isOn;
  part("pause-icon").hidden = !isOn;
  part("toggle").setAttribute("aria-label", isOn ? texts.pause : texts.play);
  markRows(player);
  if (player.isRunning && player.current.item !== bar.dataset.announced) {
    bar.dataset.announced = player.current.item;
    const { title: song, artists } = player.current.track;
    part("announce").textContent = fill(texts.now, { song, artists, means: texts[player.active.name] });
  }
}

function showTime(player) {
  const seek = part("seek");
  const length = Math.round(player.durationMs);
  seek.max = String(Math.max(length, 1000));
  if (!seek.matches(":active")) {
    seek.value = String(Math.round(player.positionMs));
    part("elapsed").textContent = clockTime(player.positionMs);
  }
  part("line").max = seek.max;
  part("line").value = player.positionMs;
  seek.setAttribute("aria-valuetext", `${clockTime(player.positionMs)} / ${clockTime(length)}`);
  part("length").textContent = clockTime(length);
}

// Rows of the song that plays, on whatever page is open.
export function markRows(player) {
  const id = player.current?.track.id;
  for (const row of document.querySelectorAll(".track-row")) {
    row.classList.toggle("is-current", row.id === `track-${id}`);
  }
  for (const button of document.querySelectorAll("[data-play]")) {
    const isOn = player.isRunning && button.dataset.play === String(id);
    showIcon(button, isOn ? "pause-fill" : "play-fill");
    button.title = isOn ? texts.pause : texts.listen;
    button.dataset.playName ??= button.getAttribute("aria-label");
    const name = isOn ? fill(texts.pause_song, { song: player.current.track.title }) : button.dataset.playName;
    if (button.getAttribute("aria-label") !== name) {
      button.setAttribute("aria-label", name);
    }
  }
}

// What plays elsewhere is named beside the button that has it play here again.
export function note(text, offersHere = false) {
  part("note").textContent = text;
  part("note").hidden = !text;
  part("here").hidden = !offersHere;
}

const isNarrow = matchMedia("(max-width: 991.98px)");

function setOpen(isOpen) {
  bar.classList.toggle("is-open", isOpen);
  document.documentElement.toggleAttribute("data-player-open", isOpen);
  part("more").setAttribute("aria-expanded", String(isOpen));
  part("more").setAttribute("aria-label", isOpen ? texts.close : texts.open);
  for (const other of document.querySelectorAll("body > header, body > main, body > footer, body > nav")) {
    other.inert = isOpen;
  }
}

export function connectView(player) {
  player.addEventListener("song", () => { showSong(player); showTime(player); });
  player.addEventListener("means", (event) => showMeans(player, event.detail.name));
  player.addEventListener("state", () => { showState(player); showTime(player); });
  player.addEventListener("time", () => { showTime(player); showState(player); });
  player.addEventListener("note", (event) => note(event.detail.text, event.detail.offersHere));
  const onClick = (name, act) => part(name).addEventListener("click", act);
  onClick("toggle", () => { player.unlock(); player.toggle(); });
  onClick("here", () => { player.unlock(); player.resume(); });
  onClick("next", () => player.next());
  onClick("previous", () => player.previous());
  onClick("like", () => toggleMark(player, 1));
  onClick("dislike", () => toggleMark(player, -1));
  onClick("shuffle", () => player.change("shuffle", { on: !player.state.shuffle }));
  onClick("more", () => setOpen(!bar.classList.contains("is-open")));
  // On a phone the bar opens to the whole screen; there its title leads nowhere until it is open.
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
      part("more").focus();
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
    localStorage.setItem(SKETCH_SAID, "yes");
    part("sketch-note").hidden = true;
  });
  player.sleep = connectSleep(player, part("sleep"));
  const seek = part("seek");
  seek.addEventListener("input", () => { part("elapsed").textContent = clockTime(Number(seek.value)); });
  seek.addEventListener("change", () => player.seek(Number(seek.value)));
  const volume = part("volume");
  volume.value = localStorage.getItem("volume") ?? "100";
  player.setVolume(Number(volume.value) / 100);
  volume.addEventListener("input", () => {
    player.setVolume(Number(volume.value) / 100);
    localStorage.setItem("volume", volume.value);
  });
}

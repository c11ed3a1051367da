// The bar shows what the player does, and its buttons tell the player what to do.
import { texts } from "./api.js";
import { clockTime, fill } from "./format.js";
import { toggleMark } from "./marks.js";

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
    return;
  }
  const { track } = current;
  showCover(track);
  part("title").textContent = track.title;
  part("title").href = track.url;
  part("artists").textContent = track.artists;
  const origin = current.is_radio ? texts.radio : state.origin && fill(texts.from, { origin: state.origin });
  part("artists").title = origin || "";
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

export function showMark(track) {
  for (const [name, value] of [["like", 1], ["dislike", -1]]) {
    const button = part(name);
    const isOn = track.mark === value;
    button.setAttribute("aria-pressed", String(isOn));
    button.setAttribute("aria-label", texts[(isOn ? "un" : "") + name]);
    const use = button.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/(hand-thumbs-(?:up|down)).*$/, isOn ? "$1-fill" : "$1"));
  }
}

function showMeans(player) {
  const name = player.active.name;
  part("means").textContent = texts[name];
  part("means").title = texts[`${name}_help`];
  bar.classList.toggle("is-embedded", name === "embed");
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
    const use = button.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*$/, isOn ? "#pause-fill" : "#play-fill"));
    button.title = isOn ? texts.pause : texts.listen;
  }
}

export function note(text) {
  part("note").textContent = text;
  part("note").hidden = !text;
}

export function connectView(player) {
  player.addEventListener("song", () => { showSong(player); showTime(player); });
  player.addEventListener("means", () => showMeans(player));
  player.addEventListener("state", () => { showState(player); showTime(player); });
  player.addEventListener("time", () => { showTime(player); showState(player); });
  player.addEventListener("note", (event) => note(event.detail.text));
  const onClick = (name, act) => part(name).addEventListener("click", act);
  onClick("toggle", () => player.toggle());
  onClick("next", () => player.next());
  onClick("previous", () => player.previous());
  onClick("like", () => toggleMark(player, 1));
  onClick("dislike", () => toggleMark(player, -1));
  onClick("shuffle", () => player.change("shuffle", { on: !player.state.shuffle }));
  onClick("more", () => {
    const isOpen = bar.classList.toggle("is-open");
    part("more").setAttribute("aria-expanded", String(isOpen));
  });
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

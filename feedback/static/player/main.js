// Starts the player on every page of a listener.
import { AudioMeans } from "./backends/audio.js";
import { DeviceMeans } from "./backends/device.js";
import { EmbedMeans } from "./backends/embed.js";
import { SdkMeans } from "./backends/sdk.js";
import { connectKeys } from "./shortcuts.js";
import { connectMediaSession } from "./media-session.js";
import { connectPage, connectQueue } from "./queue.js";
import { connectPages } from "./navigation.js";
import { connectView, markRows } from "./view.js";
import { connectOthers } from "./sync.js";
import { followPage } from "./ratings.js";
import { Player } from "./player.js";

const KEEP_MS = 5000;
const audio = document.querySelector('[data-player="audio"]');

const embedBox = document.querySelector('[data-player="embed"]');
const connection = () => player.state.spotify;

// The best first.
const player = new Player((listen) => [
  new SdkMeans(connection, listen),
  new DeviceMeans(connection, listen),
  new EmbedMeans(embedBox, listen),
  new AudioMeans("preview", audio, listen),
  new AudioMeans("sketch", audio, listen),
]);

// Browsers play what a script starts later only through an element that was touched during a click.
player.unlock = () => {
  if (!player.active) {
    audio.load();
  }
  player.means.forEach((means) => means.activate?.());
};

connectView(player);
connectQueue(player);
connectPage(player);
connectKeys(player);
connectMediaSession(player);
followPage(player);
connectOthers(player);
connectPages(() => markRows(player));

// One tab at a time.
const tabs = "BroadcastChannel" in window ? new BroadcastChannel("player") : null;
tabs?.addEventListener("message", () => player.pause());
player.addEventListener("state", () => player.isRunning && tabs?.postMessage("plays"));

addEventListener("pagehide", () => player.pageGoes());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") {
    player.pageGoes();
  } else {
    player.refresh().catch(() => {});
  }
});
setInterval(() => player.isRunning && player.keep(), KEEP_MS);

document.documentElement.dataset.player = "on";
player.restore().catch(() => {});

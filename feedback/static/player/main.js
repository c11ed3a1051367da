// Starts the player on every page of a listener.
import { AudioBackend } from "./backends/audio.js";
import { DeviceBackend } from "./backends/device.js";
import { EmbedBackend } from "./backends/embed.js";
import { FileBackend } from "./backends/file.js";
import { SdkBackend } from "./backends/sdk.js";
import { connectShortcuts } from "./shortcuts.js";
import { connectLevelling } from "./levelling.js";
import { connectMediaSession } from "./media-session.js";
import { connectPlayButtons, connectQueue } from "./queue.js";
import { connectNavigation } from "./navigation.js";
import { connectView, highlightRows } from "./view.js";
import { connectSync } from "./sync.js";
import { connectRatings } from "./ratings.js";
import { Player } from "./player.js";

const SAVE_MS = 5000;
const audio = document.querySelector('[data-player="audio"]');

const embedBox = document.querySelector('[data-player="embed"]');
const connection = () => player.state.spotify;

// In order of preference.
const player = new Player((onUpdate) => [
  new FileBackend(audio, onUpdate),
  new SdkBackend(connection, onUpdate),
  new DeviceBackend(connection, onUpdate),
  new EmbedBackend(embedBox, onUpdate),
  new AudioBackend("preview", audio, onUpdate),
  new AudioBackend("sketch", audio, onUpdate),
]);

// Browsers let a script start sound later only through an element that was used during a click.
player.unlock = () => {
  if (!player.active) {
    audio.load();
  }
  player.backends.forEach((backend) => backend.activate?.());
};

connectView(player);
connectQueue(player);
connectPlayButtons(player);
connectShortcuts(player);
connectLevelling(player);
connectMediaSession(player);
connectRatings(player);
connectSync(player);
connectNavigation(() => highlightRows(player));

// One tab at a time.
const tabs = "BroadcastChannel" in window ? new BroadcastChannel("player") : null;
tabs?.addEventListener("message", () => player.pause());
player.addEventListener("state", () => player.isRunning && tabs?.postMessage("plays"));

addEventListener("pagehide", () => player.onPageHide());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") {
    player.onPageHide();
  } else {
    player.refresh().catch(() => {});
  }
});
setInterval(() => player.isRunning && player.saveSession(), SAVE_MS);

document.documentElement.dataset.player = "on";
player.restore().catch(() => {});

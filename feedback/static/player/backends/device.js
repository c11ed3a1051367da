// A device of the listener's Spotify account, commanded through the site: the one that is active there.
import { spotify, texts } from "../api.js";
import { Ticker } from "./ticker.js";

const TICK_MS = 500;
// It may be paused, moved or given another song by hand; it is asked so often.
const CHECK_MS = 5000;

export class DeviceMeans {
  constructor(connection, listen) {
    this.name = "device";
    this.isSpotify = true;
    this.connection = connection;
    this.listen = listen;
    this.ticker = new Ticker();
    this.durationMs = 0;
    this.isImpossible = false;
  }

  canPlay(track) {
    return Boolean(track.means.spotify) && this.connection().connected && !this.isImpossible;
  }

  async load(track, startMs) {
    const { devices } = await spotify("devices");
    const device = devices.find((each) => each.is_active);
    if (!device) {
      throw Object.assign(new Error(devices.length ? texts.no_active_device : ""), { isTold: true });
    }
    this.device = device.id;
    this.track = track;
    this.durationMs = track.duration_ms ?? 0;
    this.hasBegun = false;
    this.playing = "";
    this.ticker.set(startMs, false);
  }

  async play() {
    if (this.hasBegun) {
      await this.command("resume");
    } else {
      await this.command("start", { track: this.track.id, position_ms: Math.round(this.ticker.ms) });
      this.hasBegun = true;
      this.playing = "";
    }
    this.ticker.set(this.ticker.ms, true);
    this.timer ??= setInterval(() => this.tick(), TICK_MS);
    this.checker ??= setInterval(() => this.check(), CHECK_MS);
    this.tell();
  }

  async pause() {
    await this.command("pause");
    this.ticker.set(this.ticker.ms, false);
    this.tell();
  }

  async seek(ms) {
    await this.command("seek", { position_ms: Math.round(ms) });
    this.ticker.set(ms, this.ticker.isRunning);
  }

  async command(action, values = {}) {
    this.asked = performance.now();
    try {
      await spotify("command", { action, device: this.device, ...values });
    } catch (error) {
      // Without Premium no song plays there: not again on this page.
      this.isImpossible ||= error.reason === "premium";
      if (action === "pause" && error.reason === "restricted") {
        // It stands still already.
        return;
      }
      throw error;
    }
  }

  async check() {
    const [asked, wasRunning] = [this.asked, this.ticker.isRunning];
    const now = wasRunning && await spotify("now").catch((error) => this.explain(error));
    if (!now || asked !== this.asked || !this.timer) {
      return;
    }
    const ours = this.track.means.spotify.replace(/.*:/, "");
    // Spotify may play another edition than the one asked for: it names ours, or is the first that is heard.
    this.playing ||= now.is_playing && now.track !== ours ? now.track : "";
    const isOurs = now.track !== "" && [ours, this.playing].some((id) => id && [now.track, now.played_as].includes(id));
    if (isOurs) {
      this.device = now.device || this.device;
      this.ticker.set(now.position_ms, now.is_playing);
      this.tell();
    } else if (this.durationMs === 0 || this.ticker.ms < this.durationMs - CHECK_MS) {
      // Something else plays there, or nothing: pressing play has ours begin where it was.
      this.ticker.set(this.ticker.ms, false);
      this.hasBegun = false;
      this.tell(false, now.track ? { title: now.title, artists: now.artists } : {});
    }
  }

  // A connection that ended is told at the song; what passes is not.
  explain(error) {
    if (error.reason === "reconnect" || error.reason === "not_connected") {
      this.stop();
      this.listen(this, { failed: true, reason: error.message });
    }
    return null;
  }

  tick() {
    const hasEnded = this.durationMs > 0 && this.ticker.ms >= this.durationMs;
    if (hasEnded) {
      this.stop();
    }
    this.tell(hasEnded);
  }

  tell(hasEnded = false, elsewhere = null) {
    this.listen(this, { isRunning: this.ticker.isRunning, isPaused: !this.ticker.isRunning, hasEnded, elsewhere });
  }

  stop() {
    clearInterval(this.timer);
    clearInterval(this.checker);
    this.timer = this.checker = null;
    this.ticker.set(this.ticker.ms, false);
  }

  unload() {
    // What the listener plays there themselves goes on.
    const isRunning = this.ticker.isRunning && this.hasBegun;
    this.stop();
    if (isRunning) {
      this.command("pause").catch(() => {});
    }
    this.ticker.set(0, false);
  }

  setVolume() {
    // The device has its own.
  }

  get positionMs() {
    return this.ticker.ms;
  }
}

// A device of the listener's Spotify account, commanded through the site: the one that is active there.
import { spotify } from "../api.js";
import { Ticker } from "./ticker.js";

const TICK_MS = 500;
// It may be paused, moved or given another song by hand; it is asked so often.
const CHECK_MS = 5000;

export class DeviceMeans {
  constructor(connection, listen) {
    this.name = "device";
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
    const device = devices.find((found) => found.is_active);
    if (!device) {
      throw new Error("no active device");
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
      this.isImpossible ||= Boolean(error.needsPremium);
      throw error;
    }
  }

  async check() {
    const [asked, wasRunning] = [this.asked, this.ticker.isRunning];
    const now = wasRunning && await spotify("now").catch(() => null);
    if (!now || asked !== this.asked || !this.timer) {
      return;
    }
    // Spotify may play another edition than the one asked for, under its own id: the first that is heard is ours.
    this.playing ||= now.is_playing ? now.track : "";
    const isOurs = now.track !== "" && [this.playing, this.track.means.spotify.replace(/.*:/, "")].includes(now.track);
    this.device = now.device || this.device;
    if (isOurs) {
      this.ticker.set(now.position_ms, now.is_playing);
    } else if (this.durationMs === 0 || this.ticker.ms < this.durationMs - CHECK_MS) {
      // Something else plays there, or nothing: pressing play has ours begin where it was.
      this.ticker.set(this.ticker.ms, false);
      this.hasBegun = false;
    }
    this.tell();
  }

  tick() {
    const hasEnded = this.durationMs > 0 && this.ticker.ms >= this.durationMs;
    if (hasEnded) {
      this.stop();
    }
    this.tell(hasEnded);
  }

  tell(hasEnded = false) {
    this.listen(this, { isRunning: this.ticker.isRunning, isPaused: !this.ticker.isRunning, hasEnded });
  }

  stop() {
    clearInterval(this.timer);
    clearInterval(this.checker);
    this.timer = this.checker = null;
    this.ticker.set(this.ticker.ms, false);
  }

  unload() {
    const isRunning = this.ticker.isRunning;
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

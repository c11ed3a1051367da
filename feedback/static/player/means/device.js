// A device of the listener's Spotify account, commanded through the site: the one that is active there.
import { spotify } from "../api.js";
import { Ticker } from "./ticker.js";

const TICK_MS = 500;

export class DeviceMeans {
  constructor(connection, listen) {
    this.name = "device";
    this.connection = connection;
    this.listen = listen;
    this.ticker = new Ticker();
    this.durationMs = 0;
  }

  canPlay(track) {
    return Boolean(track.means.spotify) && this.connection().connected;
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
    this.ticker.set(startMs, false);
  }

  async play() {
    if (this.hasBegun) {
      await this.command("resume");
    } else {
      await this.command("start", { track: this.track.id, position_ms: Math.round(this.ticker.ms) });
      this.hasBegun = true;
    }
    this.ticker.set(this.ticker.ms, true);
    this.timer ??= setInterval(() => this.tick(), TICK_MS);
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

  command(action, values = {}) {
    return spotify("command", { action, device: this.device, ...values });
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
    this.timer = null;
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

// One play of one song. It measures how long the song really sounded, and reports that when it starts, when it ends and
// when the page closes.
import { reportPlay } from "./api.js";

const HEARTBEAT_MS = 30_000;
// Positions are reported several times a second, and by hidden pages once a minute.
const JUMP_MS = 1000;
const LONGEST_TICK_MS = 65_000;

function newToken() {
  // randomUUID exists on secure pages only, which a site in a local network may not have.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export class Play {
  // `saved` is what `save` returned before a reload: the same play goes on.
  constructor(trackId, saved) {
    this.trackId = trackId;
    this.token = saved?.token ?? newToken();
    this.elapsedMs = saved?.elapsedMs ?? 0;
    this.isKnown = saved?.isKnown ?? false;
    this.hasStarted = this.elapsedMs > 0 || this.isKnown;
    this.tickedAt = null;
    this.positionMs = 0;
    this.isOver = false;
  }

  get isRunning() {
    return this.tickedAt !== null;
  }

  // Add what sounded since the last tick: no more than the clock says, because a computer may have slept, and no more than
  // the song advanced, because a page may have been suspended. A jump in the song does not count, the time up to it does.
  tick(positionMs) {
    if (this.isRunning) {
      const elapsed = performance.now() - this.tickedAt;
      const moved = positionMs - this.positionMs;
      const hasJumped = moved < 0 || moved > elapsed + JUMP_MS;
      this.elapsedMs += Math.min(elapsed, hasJumped ? JUMP_MS : moved, LONGEST_TICK_MS);
      this.tickedAt = performance.now();
    }
    this.positionMs = positionMs;
  }

  get playedMs() {
    return Math.round(this.elapsedMs);
  }

  setRunning(isRunning, positionMs) {
    if (this.isOver) {
      return;
    }
    this.tick(positionMs);
    if (isRunning === this.isRunning) {
      return;
    }
    if (isRunning) {
      this.tickedAt = performance.now();
      if (!this.hasStarted) {
        this.hasStarted = true;
        this.report("started");
      }
      this.heartbeat = setInterval(() => this.report("started"), HEARTBEAT_MS);
    } else {
      this.tickedAt = null;
      clearInterval(this.heartbeat);
    }
  }

  report(outcome, isClosing = false) {
    if (!this.hasStarted) {
      return;
    }
    const values = { token: this.token, track: this.trackId, ms_played: this.playedMs, outcome, known: this.isKnown };
    reportPlay(values, isClosing).then(
      () => { this.isKnown = this.isKnown || !isClosing; },
      () => {}, // the next report contains it
    );
  }

  finish(outcome) {
    if (!this.isOver) {
      this.setRunning(false, this.positionMs);
      this.isOver = true;
      this.report(outcome);
    }
  }

  save() {
    return { token: this.token, elapsedMs: this.playedMs, isKnown: this.isKnown };
  }
}

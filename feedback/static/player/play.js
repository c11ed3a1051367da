// One play of one song: how long it really sounded, reported once it began, when it ends, and when the page goes.
import { report } from "./api.js";

const HEARTBEAT_MS = 30_000;
// News of the position come several times a second, and from hidden pages once a minute.
const JUMP_MS = 1000;
const LONGEST_LOOK_MS = 65_000;

function newToken() {
  // randomUUID is there on secure pages alone; a site in a local network may have none.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export class Play {
  // `saved` is what `save` returned before the page was loaded anew: the same play goes on.
  constructor(trackId, saved) {
    this.trackId = trackId;
    this.token = saved?.token ?? newToken();
    this.heard = saved?.heard ?? 0;
    this.isKnown = saved?.isKnown ?? false;
    this.hasStarted = this.heard > 0 || this.isKnown;
    this.lookedAt = null;
    this.positionMs = 0;
    this.isOver = false;
  }

  get isRunning() {
    return this.lookedAt !== null;
  }

  // What sounded since the last look: no more than the clock says, and no more than the song went on, for a computer
  // that slept or a page that was put aside heard nothing. A jump in the song is no sound, the time up to it is.
  look(positionMs) {
    if (this.isRunning) {
      const passed = performance.now() - this.lookedAt;
      const moved = positionMs - this.positionMs;
      const hasJumped = moved < 0 || moved > passed + JUMP_MS;
      this.heard += Math.min(passed, hasJumped ? JUMP_MS : moved, LONGEST_LOOK_MS);
      this.lookedAt = performance.now();
    }
    this.positionMs = positionMs;
  }

  get msHeard() {
    return Math.round(this.heard);
  }

  setRunning(isRunning, positionMs) {
    if (this.isOver) {
      return;
    }
    this.look(positionMs);
    if (isRunning === this.isRunning) {
      return;
    }
    if (isRunning) {
      this.lookedAt = performance.now();
      if (!this.hasStarted) {
        this.hasStarted = true;
        this.tell("started");
      }
      this.heartbeat = setInterval(() => this.tell("started"), HEARTBEAT_MS);
    } else {
      this.lookedAt = null;
      clearInterval(this.heartbeat);
    }
  }

  tell(outcome, isClosing = false) {
    if (!this.hasStarted) {
      return;
    }
    const values = { token: this.token, track: this.trackId, ms_played: this.msHeard, outcome, known: this.isKnown };
    report(values, isClosing).then(
      () => { this.isKnown = this.isKnown || !isClosing; },
      () => {}, // the next report makes up for it
    );
  }

  finish(outcome) {
    if (!this.isOver) {
      this.setRunning(false, this.positionMs);
      this.isOver = true;
      this.tell(outcome);
    }
  }

  save() {
    return { token: this.token, heard: this.msHeard, isKnown: this.isKnown };
  }
}

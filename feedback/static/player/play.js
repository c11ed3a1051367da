// One play of one song: how long it really sounded, reported once it began, when it ends, and when the page goes.
import { report } from "./api.js";

const HEARTBEAT_MS = 30_000;

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
    this.runningSince = null;
    this.isOver = false;
  }

  get msHeard() {
    const now = this.runningSince === null ? 0 : performance.now() - this.runningSince;
    return Math.round(this.heard + now);
  }

  setRunning(isRunning) {
    if (this.isOver || isRunning === (this.runningSince !== null)) {
      return;
    }
    if (isRunning) {
      this.runningSince = performance.now();
      if (!this.hasStarted) {
        this.hasStarted = true;
        this.tell("started");
      }
      this.heartbeat = setInterval(() => this.tell("started"), HEARTBEAT_MS);
    } else {
      this.heard = this.msHeard;
      this.runningSince = null;
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
      this.setRunning(false);
      this.isOver = true;
      this.tell(outcome);
    }
  }

  save() {
    return { token: this.token, heard: this.msHeard, isKnown: this.isKnown };
  }
}

// Plays the recording from the operator's music server, through the site. What the browser can't decode is asked for once
// more as an MP3, which the server makes.
import { volumeFactor } from "../levelling.js";
import { AudioBackend } from "./audio.js";

export class FileBackend extends AudioBackend {
  constructor(element, onUpdate) {
    super("file", element, (backend, update) => (update.failed && this.tryMp3() ? null : onUpdate(backend, update)));
  }

  async load(track, startMs) {
    this.shouldPlay = this.isSwitching = false;
    this.track = track;
    this.setVolume(this.share ?? 1);
    await super.load(track, startMs);
  }

  // Never louder than the file: where the listener's volume leaves room, quiet songs are raised into it.
  setVolume(share) {
    this.share = share;
    super.setVolume(Math.min(1, share * volumeFactor(this.track)));
  }

  async play() {
    this.shouldPlay = true;
    try {
      await super.play();
    } catch (error) {
      // The browser says so here and by an event, in either order.
      if (error.name !== "NotSupportedError" || !(this.isMp3() || this.tryMp3())) {
        throw error;
      }
    }
  }

  async pause() {
    this.shouldPlay = false;
    await super.pause();
  }

  // The pause between the two is none of the listener's.
  emit(event) {
    if (!this.isSwitching || event === "playing") {
      this.isSwitching = false;
      super.emit(event);
    }
  }

  isMp3() {
    return this.element.src.endsWith("format=mp3");
  }

  tryMp3() {
    const { error, src } = this.element;
    const isUndecodable = error && error.code >= error.MEDIA_ERR_DECODE;
    if (!isUndecodable || !src || this.isMp3()) {
      return false;
    }
    const { currentTime } = this.element;
    this.element.src = `${src}?format=mp3`;
    this.element.currentTime = currentTime;
    if (this.shouldPlay) {
      this.isSwitching = true;
      this.element.play().catch(() => {}); // an error event follows
    }
    return true;
  }
}

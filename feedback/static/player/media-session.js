// Media keys of keyboards and headphones, and the system's media display.
import { coverAddress } from "./view.js";

// Systems show bitmaps only, so a drawn cover is rasterised.
async function artworkOf(track) {
  if (track.cover_url) {
    return { src: track.cover_url };
  }
  const image = new Image();
  image.src = coverAddress(track.cover);
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 256;
  canvas.getContext("2d").drawImage(image, 0, 0, 256, 256);
  return { src: canvas.toDataURL("image/png"), sizes: "256x256", type: "image/png" };
}

export function connectMediaSession(player) {
  const session = navigator.mediaSession;
  if (!session) {
    return;
  }
  let shownId = null;
  player.addEventListener("song", async () => {
    const track = player.current?.track;
    if (!track || track.id === shownId) {
      return;
    }
    shownId = track.id;
    const text = { title: track.title, artist: track.artists, album: track.album };
    session.metadata = new MediaMetadata(text);
    const artwork = await artworkOf(track).catch(() => null);
    if (artwork && shownId === track.id) {
      session.metadata = new MediaMetadata({ ...text, artwork: [artwork] });
    }
  });
  player.addEventListener("state", () => {
    session.playbackState = player.isRunning ? "playing" : "paused";
  });
  player.addEventListener("time", () => {
    const duration = player.durationMs / 1000;
    const position = Math.min(player.positionMs / 1000, duration);
    if (duration > 0) {
      session.setPositionState?.({ duration, position, playbackRate: 1 });
    }
  });
  const actions = {
    play: () => player.resume(),
    pause: () => player.pause(),
    nexttrack: () => player.next(),
    previoustrack: () => player.previous(),
    seekto: (details) => player.seek(details.seekTime * 1000),
  };
  for (const [name, action] of Object.entries(actions)) {
    try {
      session.setActionHandler(name, action);
    } catch {
      // Not every browser knows every action.
    }
  }
}

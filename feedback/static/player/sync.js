// What other pages and programs do to the queue is seen here within two seconds, and what this page does is told to them.
import { readChange, tellPlaying } from "./api.js";

const LOOK_MS = 1500;
// A song that follows another stops and starts within moments: only what lasts is told.
const SETTLE_MS = 400;
// So far from each other two positions are a jump, not a delay.
const JUMP_MS = 3000;

function newName() {
  const digits = Array.from(crypto.getRandomValues(new Uint8Array(3)), (byte) => byte.toString(16).padStart(2, "0"));
  return `Browser ${digits.join("")}`;
}

// This tab keeps its name when the page is loaded anew.
function ownName() {
  try {
    sessionStorage.player_name ??= newName();
    return sessionStorage.player_name;
  } catch {
    return newName();
  }
}

export function connectOthers(player) {
  const device = ownName();
  let told = false;
  let settling = null;

  async function tell() {
    settling = null;
    const { state } = player;
    const hasFailed = !player.isRunning && !player.isWanted && state?.is_playing && state.device === device;
    if (player.current && (player.isRunning !== told || hasFailed)) {
      told = player.isRunning;
      const position = Math.round(player.positionMs);
      player.accept(await tellPlaying({ playing: told, song_ms: position, device }));
    }
  }

  player.addEventListener("state", () => {
    clearTimeout(settling);
    settling = setTimeout(() => tell().catch(() => {}), SETTLE_MS);
  });

  async function look() {
    const state = await readChange();
    if (!state || settling) {
      return;
    }
    const isOurs = state.device === device;
    const hasChanged = state.song_ms_at !== player.state?.song_ms_at;
    if (state.current?.item !== player.current?.item) {
      told = state.is_playing && isOurs;
      await player.show(state, { wantsPlay: told });
      return;
    }
    player.accept(state);
    if (!hasChanged) {
      return;
    }
    if (player.isRunning && !(state.is_playing && isOurs)) {
      // Paused from elsewhere, or another device took over: nothing that this page has to tell.
      told = false;
      await player.pause();
    } else if (!player.isRunning && state.is_playing && isOurs && player.active) {
      told = true;
      await player.resume();
    } else if (player.isRunning && Math.abs(state.position_ms - player.positionMs) > JUMP_MS) {
      await player.seek(state.position_ms);
    }
  }

  setInterval(() => {
    if (document.visibilityState === "visible" || player.isRunning) {
      look().catch(() => {});
    }
  }, LOOK_MS);
  addEventListener("pagehide", () => {
    if (told) {
      told = false;
      tellPlaying({ playing: false, song_ms: Math.round(player.positionMs), device }, true);
    }
  });
}

// The sleep timer pauses the player after some minutes, or when the current song has ended.
const MINUTE_MS = 60_000;

export function connectSleep(player, select) {
  let timer = null;
  function stop() {
    select.value = "";
    player.pause();
  }
  select.addEventListener("change", () => {
    clearTimeout(timer);
    timer = Number(select.value) ? setTimeout(stop, Number(select.value) * MINUTE_MS) : null;
  });
  return {
    // Return whether the player should stop instead of playing the next song.
    shouldStopAfterSong() {
      const ends = select.value === "song";
      if (ends) {
        select.value = "";
      }
      return ends;
    },
  };
}

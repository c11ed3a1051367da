// The sleep timer: the player pauses after some minutes, or when the song that plays has ended.
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
    // Whether the player is to stop rather than go on to the next song.
    endsWithSong() {
      const ends = select.value === "song";
      if (ends) {
        select.value = "";
      }
      return ends;
    },
  };
}

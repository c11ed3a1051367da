// The panel with the queue, and the buttons on pages that send songs to it.
import { readQueue, texts } from "./api.js";

const sheet = document.getElementById("player-queue");
const sheetBody = document.getElementById("player-queue-body");

async function draw() {
  sheetBody.innerHTML = await readQueue();
  window.htmx.process(sheetBody);
}

export function connectQueue(player) {
  document.querySelector('[data-player="queue"]').addEventListener("click", async () => {
    await draw();
    sheet.showModal();
    sheetBody.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "center" });
  });
  sheet.addEventListener("click", async (event) => {
    if (event.target === sheet || event.target.closest("a")) {
      sheet.close();
      return;
    }
    const { queueJump, queueRemove, queueClear } = event.target.closest("button")?.dataset ?? {};
    if (queueJump) {
      await player.move("jump", { item: queueJump });
    } else if (queueRemove) {
      await player.change("remove", { item: queueRemove });
    } else if (queueClear !== undefined) {
      await player.change("clear");
    }
  });
  player.addEventListener("song", () => sheet.open && draw());
}

// In the capture phase: ahead of htmx, for which the same button notes a play when this script does not run.
export function connectPage(player) {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-play], [data-play-list], [data-queue-add]");
    if (!button) {
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    const { play, playList, queueAdd } = button.dataset;
    if (play && play === String(player.current?.track.id)) {
      player.toggle();
    } else if (play) {
      player.unlock();
      player.move("play", { track: play });
    } else if (playList !== undefined) {
      player.unlock();
      const { origin, originUrl, source, sourceId } = button.dataset;
      player.move("list", { tracks: playList, origin, origin_url: originUrl, source, source_id: sourceId });
    } else {
      player.change("add", { tracks: queueAdd, next: "next" in button.dataset }).then((isAdded) => {
        const said = button.closest("dialog")?.querySelector('[role="status"]');
        if (isAdded && said) {
          said.textContent = texts.added;
        }
      });
    }
  }, true);
}

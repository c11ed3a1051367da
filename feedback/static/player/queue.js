// The queue panel, and the buttons on pages that play songs or add them to the queue.
import { fetchQueue, texts } from "./api.js";
import { connectDrag, dropped } from "./drag.js";

const sheet = document.getElementById("player-queue");
const sheetBody = document.getElementById("player-queue-body");

async function renderQueue() {
  const html = await fetchQueue();
  await dropped(sheetBody);
  const typed = sheetBody.querySelector("#queue-name");
  const isTyping = typed !== null && typed === document.activeElement;
  sheetBody.innerHTML = html;
  window.htmx.process(sheetBody);
  const name = sheetBody.querySelector("#queue-name");
  if (typed && name && typed.value !== typed.defaultValue) {
    name.value = typed.value;
    if (isTyping) {
      name.focus();
    }
  }
}

// The panel is rendered again after a move, so the focus returns to the same button of the moved song.
function focusMoved(item, pressed) {
  const isUp = pressed.matches("[data-queue-move]:first-of-type");
  const buttons = sheetBody.querySelectorAll(`[data-queue-move="${item}"]`);
  const [same, other] = isUp ? [buttons[0], buttons[1]] : [buttons[1], buttons[0]];
  (same?.disabled ? other : same)?.focus();
}

export function connectQueue(player) {
  document.querySelector('[data-player="queue"]').addEventListener("click", async () => {
    await renderQueue();
    sheet.showModal();
    sheetBody.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "center" });
  });
  sheet.addEventListener("click", async (event) => {
    if (event.target === sheet || event.target.closest("a")) {
      sheet.close();
      return;
    }
    const { queueJump, queueRemove, queueClear, queueMove, index } = event.target.closest("button")?.dataset ?? {};
    if (queueJump) {
      await player.playFrom("jump", { item: queueJump });
    } else if (queueMove) {
      await player.change("move", { item: queueMove, index });
      await rendering;
      focusMoved(queueMove, event.target.closest("button"));
    } else if (queueRemove) {
      await player.change("remove", { item: queueRemove });
    } else if (queueClear !== undefined) {
      await player.change("clear");
    }
  });
  let rendering = Promise.resolve();
  player.addEventListener("song", () => {
    if (sheet.open) {
      rendering = renderQueue();
    }
  });
  connectDrag(sheetBody, (item, index) => player.change("move", { item, index }));
}

// Runs in the capture phase, before htmx, which records a play at the same button where this script does not run.
export function connectPlayButtons(player) {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-play], [data-play-list], [data-queue-add]");
    if (!button) {
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    const { play, playList, queueAdd } = button.dataset;
    if (play && play === String(player.current?.track.id)) {
      player.unlock();
      player.toggle();
    } else if (play) {
      player.unlock();
      player.playFrom("play", { track: play });
    } else if (playList !== undefined) {
      player.unlock();
      const { origin, originUrl, source, sourceId } = button.dataset;
      player.playFrom("list", { tracks: playList, origin, origin_url: originUrl, source, source_id: sourceId });
    } else {
      player.change("add", { tracks: queueAdd, next: "next" in button.dataset }).then((isAdded) => {
        if (isAdded) {
          button.closest("dialog")?.close();
          document.dispatchEvent(new CustomEvent("toast", { detail: { text: texts.added } }));
        }
      });
    }
  }, true);
}

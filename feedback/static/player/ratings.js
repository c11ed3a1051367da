// Like and dislike from the bar, and the bar following the buttons on the page.
import { rate, texts } from "./api.js";

export async function toggleMark(player, value) {
  const track = player.current?.track;
  if (!track) {
    return;
  }
  const wanted = track.mark === value ? 0 : value;
  const form = document.querySelector(`#track-${track.id} .track-actions form, main .track-actions form[action="${track.rate_url}"]`);
  try {
    if (form) {
      // The row is drawn anew with it; `followPage` hears of that.
      await window.htmx.ajax("POST", track.rate_url, {
        source: form, target: form, select: "form", swap: "outerHTML", values: { value: String(wanted) },
      });
      return;
    }
    await rate(track.rate_url, wanted);
    setMark(player, track, wanted);
    window.htmx.trigger(document.body, "feedback-changed");
  } catch (error) {
    player.tell("note", { text: error.message || texts.failed });
  }
}

function setMark(player, track, mark) {
  track.mark = mark;
  if (player.current?.track === track) {
    player.tell("song");
  }
}

export function followPage(player) {
  document.body.addEventListener("htmx:afterRequest", (event) => {
    const track = player.current?.track;
    const { elt, requestConfig, successful } = event.detail;
    const value = requestConfig.formData.get("value");
    // Some pages answer a like with more than the row; the form is known by where it leads without a script.
    const isOurs = track && (requestConfig.path === track.rate_url || elt.getAttribute("action") === track.rate_url);
    if (isOurs && successful && value !== null) {
      setMark(player, track, Number(value));
    }
  });
}

// Like and dislike from the bar, and the bar's own buttons kept in step with those on the page.
import { rate, texts } from "./api.js";

export async function toggleRating(player, value) {
  const track = player.current?.track;
  if (!track) {
    return;
  }
  const newRating = track.rating === value ? 0 : value;
  const form = document.querySelector(`#track-${track.id} .track-actions form, main .track-actions form[action="${track.rate_url}"]`);
  try {
    if (form) {
      // The response redraws the row, and `connectRatings` reads the new rating from the request.
      await window.htmx.ajax("POST", track.rate_url, {
        source: form, target: form, select: "form", swap: "outerHTML", values: { value: String(newRating) },
      });
      return;
    }
    await rate(track.rate_url, newRating);
    setRating(player, track, newRating);
    window.htmx.trigger(document.body, "feedback-changed");
  } catch (error) {
    player.emit("note", { text: error.message || texts.failed });
  }
}

function setRating(player, track, rating) {
  track.rating = rating;
  if (player.current?.track === track) {
    player.emit("song");
  }
}

export function connectRatings(player) {
  document.body.addEventListener("htmx:afterRequest", (event) => {
    const track = player.current?.track;
    const { elt, requestConfig, successful } = event.detail;
    const value = requestConfig.formData.get("value");
    // Some pages respond to a like with more than the row, so the form is recognised by its action.
    const isOurs = track && (requestConfig.path === track.rate_url || elt.getAttribute("action") === track.rate_url);
    if (isOurs && successful && value !== null) {
      setRating(player, track, Number(value));
    }
  });
}

// Small comforts; every page works without them.
(function () {
  "use strict";
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.addEventListener("click", window.toggleTheme);
  }
  // A menu closes on a click beside it and on Escape.
  function closeMenus(except) {
    for (const menu of document.querySelectorAll("details.account-menu[open]")) {
      if (!except || !menu.contains(except)) {
        menu.open = false;
      }
    }
  }
  // Suggestions go on a click beside their form, on Escape, and when the keyboard leaves it.
  function closeSuggestions(except) {
    for (const box of document.querySelectorAll("[data-suggestions]")) {
      if (!except || !box.parentElement.contains(except)) {
        box.replaceChildren();
      }
    }
  }
  document.addEventListener("focusin", (event) => closeSuggestions(event.target));
  document.addEventListener("click", (event) => {
    closeMenus(event.target);
    closeSuggestions(event.target);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      closeMenus(null);
      closeSuggestions(null);
    }
  });
  // Two sliders make a range: they say it while they move, and cannot pass each other.
  document.addEventListener("input", (event) => {
    const pair = event.target.closest("[data-range-pair]");
    if (!pair) {
      return;
    }
    const [low, high] = pair.querySelectorAll("input");
    if (Number(low.value) > Number(high.value)) {
      event.target.value = event.target === low ? high.value : low.value;
    }
    const output = pair.querySelector("output");
    output.value = `${low.value}–${high.value} ${output.value.split(" ").pop()}`;
  });
  // What leaves nothing out is left out of the address.
  document.body.addEventListener("htmx:configRequest", (event) => {
    const form = event.target;
    if (!form.matches("form[data-prune]")) {
      return;
    }
    for (const field of form.elements) {
      if (field.name && (field.value === "" || field.value === field.dataset.default)) {
        event.detail.formData.delete(field.name);
      }
    }
  });
  // Selects and switches marked so send their form when they change.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit-on-change]")) {
      event.target.form.requestSubmit();
    }
  });
  // What is loaded into the sheet opens it; a click beside it closes it.
  const sheet = document.getElementById("sheet");
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id === "sheet-body" && !sheet.open) {
      sheet.showModal();
    }
  });
  sheet.addEventListener("click", (event) => {
    if (event.target === sheet) {
      sheet.close();
    }
  });
  // Without a network the offline page is shown; times are shown in the zone the browser is in.
  if ("serviceWorker" in navigator && window.isSecureContext) {
    navigator.serviceWorker.register("/service-worker.js").catch(() => {});
  }
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) {
    document.cookie = `time_zone=${zone}; path=/; max-age=31536000; samesite=lax`;
  }
  // The way back is offered for a while, unless the focus is on it.
  document.body.addEventListener("htmx:load", (event) => {
    const fresh = event.detail.elt;
    for (const note of [fresh, ...fresh.querySelectorAll("[data-vanish-seconds]")]) {
      if (note.matches("[data-vanish-seconds]")) {
        setTimeout(() => note.remove(), 1000 * Number(note.dataset.vanishSeconds));
      }
    }
  });
  // An error answer to an htmx request is said, not swallowed.
  document.body.addEventListener("htmx:responseError", () => {
    const box = document.getElementById("messages");
    const alert = document.createElement("div");
    alert.className = "alert alert-danger";
    alert.setAttribute("role", "alert");
    alert.textContent = document.documentElement.lang === "en" ? "That did not work. Please try again." : "⚠";
    box.replaceChildren(alert);
  });
})();

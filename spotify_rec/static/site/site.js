// Small comforts; every page works without them.
(function () {
  "use strict";
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.hidden = false;
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
  document.addEventListener("click", (event) => closeMenus(event.target));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      closeMenus(null);
    }
  });
  // Selects and switches marked so send their form when they change.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit-on-change]")) {
      event.target.form.requestSubmit();
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

// Runs before the first paint, so that a dark page never flashes light and elements that need scripts do not shift it.
(function () {
  "use strict";
  document.documentElement.dataset.script = "on";
  var stored = null;
  try {
    stored = localStorage.getItem("theme");
  } catch (_error) {
    // Storage may be off: the system's scheme is used.
  }
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  function apply() {
    document.documentElement.dataset.bsTheme = stored || (dark.matches ? "dark" : "light");
  }
  dark.addEventListener("change", apply);
  window.toggleTheme = function () {
    stored = document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("theme", stored);
    } catch (_error) {
      // The choice applies to this page only.
    }
    apply();
  };
  apply();
})();

// Hands the forms of passkeys to django-allauth's script. The forms say which of its functions they are for.
(function () {
  "use strict";
  function start() {
    for (const form of document.querySelectorAll("form[data-passkey]")) {
      const ids = { credential: form.querySelector("input[name=credential]").id, data: "passkey-data" };
      const button = form.querySelector("button[data-passkey-button]");
      ids[form.dataset.passkey] = button.id;
      const box = form.querySelector("input[name=passwordless]");
      if (box) {
        ids.passwordless = box.id;
      }
      window.allauth.webauthn.forms[`${form.dataset.passkey}Form`]({ ids });
      button.hidden = false;
    }
  }
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    document.querySelector("[data-passkey-error]").hidden = false;
  });
  start();
})();

// Passkeys on the pages of signing in. Each form says in data-passkey what it does: "sign-in", "add" or "confirm".
// Without this script, or without passkeys in the browser, those forms stay hidden and a code does.
(() => {
  "use strict";
  const passkeys = window.webauthnJSON;
  if (!passkeys || !window.PublicKeyCredential) return;

  for (const note of document.querySelectorAll("[data-passkey-missing]")) note.hidden = true;

  const given = (form) => JSON.parse(document.getElementById(form.dataset.options).textContent);

  const asked = async (form) => {
    const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  };

  // A passkey must be found by the device itself, and must check its holder: it signs in without an email.
  const creation = (options) => {
    const selection = options.publicKey.authenticatorSelection || (options.publicKey.authenticatorSelection = {});
    selection.residentKey = "required";
    selection.requireResidentKey = true;
    selection.userVerification = "required";
    return options;
  };

  const acts = {
    "sign-in": async (form) => passkeys.get((await asked(form)).request_options),
    confirm: async (form) => passkeys.get(given(form).request_options),
    add: async (form) => passkeys.create(creation(given(form).creation_options)),
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    const error = form.querySelector("[data-passkey-error]");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (error) error.hidden = true;
      try {
        const credential = await acts[form.dataset.passkey](form);
        form.querySelector("[name=credential]").value = JSON.stringify(credential);
        form.submit();
      } catch {
        if (error) error.hidden = false;
      }
    });
  }
})();

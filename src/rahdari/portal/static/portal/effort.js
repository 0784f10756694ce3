// While somebody writes a comment, their browser works for it: whoever sends many pays for many. Nobody waits or sees it.
// Without this script, or when the form is sent before it is done, the comment goes where comments are fewer an hour.
(() => {
  const form = document.querySelector("form[data-effort]");
  if (!form || !window.crypto?.subtle) return;
  const { algorithm, challenge, maxNumber, salt, signature } = JSON.parse(form.dataset.effort);
  const text = new TextEncoder();
  const hex = (bytes) => Array.from(new Uint8Array(bytes), (each) => each.toString(16).padStart(2, "0")).join("");
  (async () => {
    for (let number = 0; number <= maxNumber; number++) {
      if (hex(await crypto.subtle.digest(algorithm, text.encode(salt + number))) === challenge) {
        form.elements.effort.value = btoa(JSON.stringify({ algorithm, challenge, number, salt, signature }));
        return;
      }
    }
  })();
})();

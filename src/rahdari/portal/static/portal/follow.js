// A page that waits asks now and then whether anything happened, and loads again when it did. Without this script a
// link on the page does the same. Nothing is asked while the page is out of sight, and ever more rarely in time: a page
// that is left open for hours would ask a hundred times as much as the application did.
const waiting = document.querySelector("[data-follow]");
if (waiting) {
  let pause = Number(waiting.dataset.every || 20) * 1000;
  const longest = 60_000;
  const look = async () => {
    if (!document.hidden) {
      try {
        const answer = await fetch(location.pathname, { headers: { "X-Rahdari-Follow": "1" } });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const now = page.querySelector("[data-follow]");
        if (answer.redirected || !now || now.dataset.follow !== waiting.dataset.follow) { location.reload(); return; }
      } catch { /* no network now: ask again later */ }
    }
    pause = Math.min(pause * 1.15, longest);
    setTimeout(look, pause);
  };
  setTimeout(look, pause);
}

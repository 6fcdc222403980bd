"use strict";

// A page without this script is whole; it only does not change by itself.
const region = document.getElementById("live");
const pulse = document.getElementById("pulse");

// Somebody may be choosing rows or moving by keyboard while the page changes under them.
function replace(html) {
  const chosen = [...region.querySelectorAll("input:checked")].map((box) => box.id);
  const focused = region.contains(document.activeElement) ? document.activeElement : null;
  const address = focused && focused.getAttribute("href");
  const parsed = new DOMParser().parseFromString(html, "text/html");
  region.replaceChildren(...parsed.body.childNodes);
  for (const id of chosen) {
    const box = document.getElementById(id);
    if (box) box.checked = true;
  }
  if (focused) {
    const same = focused.id
      ? document.getElementById(focused.id)
      : [...region.querySelectorAll("a")].find((link) => link.getAttribute("href") === address);
    if (same) same.focus({ preventScroll: true });
  }
}

function tell(isLive) {
  if (!pulse) return;
  pulse.textContent = isLive ? pulse.dataset.on : pulse.dataset.off;
  pulse.classList.toggle("on", isLive);
}

if (region && region.dataset.live) {
  const source = new EventSource(region.dataset.live);
  source.addEventListener("open", () => tell(true));
  source.addEventListener("error", () => tell(false));
  source.addEventListener("live", (event) => replace(JSON.parse(event.data)));
  window.addEventListener("pagehide", () => source.close());
}

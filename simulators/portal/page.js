// What the portal's pages do beyond plain HTML: live ratios, problems as one types, statuses that move by themselves,
// no second press while something is being sent. Without it every page still works.
"use strict";

const CHECK_AFTER_MS = 500;
const REFRESH_AFTER_MS = 150;
const LOOK_AGAIN_MS = 2_000;

const inputsNamed = (form, name) => [...form.elements].filter((one) => one.name === name);
const placeOf = (name) => document.getElementById(name.replaceAll(".", "-"));

// Amounts as people type them: commas, 円 and full-width digits are taken. No floating point anywhere near money.
function yen(form, name) {
  const typed = (form.elements[name]?.value ?? "").normalize("NFKC").replace(/[,、円¥\s]/g, "");
  return /^[0-9]{1,18}$/.test(typed) ? BigInt(typed) : null;
}

function ratio(form, kind) {
  const amount = yen(form, `${kind}.amount`);
  let whole = yen(form, "contract.price");
  if (kind !== "contract_performance") whole = yen(form, "contract.fiscal_year_amount") || whole;
  if (amount === null || !whole) return "0.0%";
  const tenths = (2000n * amount + whole) / (2n * whole);
  return `${tenths / 10n}.${tenths % 10n}%`;
}

function showRatios(form) {
  for (const output of form.querySelectorAll("[data-ratio]")) output.textContent = ratio(form, output.dataset.ratio);
}

function showApplied(form) {
  for (const line of form.querySelectorAll("section.line")) {
    const tick = line.querySelector('input[name$=".apply"]');
    line.querySelector(".when-applied").hidden = !tick.checked;
  }
}

function showProblems(form, problems, touched) {
  for (const place of form.querySelectorAll("[data-problem]")) {
    const name = place.dataset.problem;
    const sentences = touched.has(name) ? problems[name] ?? [] : [];
    const shown = [...place.children].map((one) => one.textContent);
    if (touched.has(name) && shown.join("\n") !== sentences.join("\n")) {
      place.replaceChildren(...sentences.map((sentence) => {
        const span = document.createElement("span");
        span.textContent = sentence;
        return span;
      }));
    }
    const field = placeOf(name);
    if (field && touched.has(name)) {
      if (sentences.length) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
  }
  const list = document.querySelectorAll("#summary [data-summary] a");
  for (const link of list) {
    const name = [...form.querySelectorAll("[data-problem]")].map((one) => one.dataset.problem)
      .find((one) => `#${one.replaceAll(".", "-")}` === link.getAttribute("href"));
    if (name && !(problems[name] ?? []).some((one) => link.textContent.endsWith(one))) link.parentElement.remove();
  }
  const summary = document.getElementById("summary");
  if (list.length && !summary.querySelector("[data-summary] a")) summary.hidden = true;
}

// The browser's own way back, or a reload, brings the form as it was: it is kept in this tab until it has been sent.
const draftOf = (id) => `application:${id}`;

function keepDraft(form) {
  const fields = [...form.elements].filter((one) => one.name && !["submit", "hidden"].includes(one.type));
  const kept = fields.map((one) => [one.name, one.type === "radio" || one.type === "checkbox" ? one.checked : one.value]);
  sessionStorage.setItem(draftOf(form.elements.application_id.value), JSON.stringify(kept));
}

function takeUpDraft(form) {
  const [way] = performance.getEntriesByType("navigation");
  const kept = JSON.parse(sessionStorage.getItem(draftOf(form.elements.application_id.value)) ?? "null");
  if (!kept || !["back_forward", "reload"].includes(way?.type)) return;
  const fields = [...form.elements].filter((one) => one.name && !["submit", "hidden"].includes(one.type));
  fields.forEach((one, place) => {
    const [name, value] = kept[place] ?? [];
    if (name !== one.name) return;
    if (one.type === "radio" || one.type === "checkbox") one.checked = value;
    else one.value = value;
  });
}

function application(form) {
  const touched = new Set([...form.querySelectorAll("[aria-invalid]")].map((one) => one.name || one.id));
  for (const place of form.querySelectorAll("[data-problem]")) if (place.children.length) touched.add(place.dataset.problem);
  let waiting = 0;
  let asked = 0;

  async function check() {
    const mine = ++asked;
    const body = new URLSearchParams(new FormData(form));
    let answer;
    try {
      answer = await (await fetch(form.dataset.check, { method: "POST", body })).json();
    } catch {
      return; // Not answered now; the next key asks again, and so does the confirmation.
    }
    if (mine === asked && answer.known) showProblems(form, answer.problems, touched);
  }

  form.addEventListener("input", (event) => {
    // A field is complained about once it has been written in; its problem may then come and go with another field.
    if (event.target.name) touched.add(event.target.name);
    if (event.target.name === "contract.obligee_name") fillCode(form, touched);
    keepDraft(form);
    showRatios(form);
    showApplied(form);
    clearTimeout(waiting);
    waiting = setTimeout(check, CHECK_AFTER_MS);
  });
  takeUpDraft(form);
  keepDraft(form);
  showRatios(form);
  showApplied(form);
}

function fillCode(form, touched) {
  const chosen = [...document.querySelectorAll("#obligee-names option")]
    .find((one) => one.value === form.elements["contract.obligee_name"].value);
  if (!chosen) return;
  form.elements["contract.obligee_code"].value = chosen.dataset.code;
  touched.add("contract.obligee_code");
}

// News say only that there are some; the page asks for itself again and takes over the parts that live.
function live() {
  const places = document.querySelectorAll("[data-live]");
  if (!places.length) return;
  let waiting = 0;
  async function refresh() {
    const answer = await fetch(location.pathname + location.search).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const place of document.querySelectorAll("[data-live]")) {
      const newer = fresh.getElementById(place.id);
      if (newer && newer.innerHTML !== place.innerHTML && !place.contains(document.activeElement)) {
        place.replaceChildren(...newer.childNodes);
      }
    }
    lookAgain();
  }
  const stream = new EventSource("/events");
  // What no message tells of, such as a mail that waits, is looked at again while it stands on the page.
  const lookAgain = () => { if (document.querySelector("[data-look-again]")) setTimeout(refresh, LOOK_AGAIN_MS); };
  const later = () => { clearTimeout(waiting); waiting = setTimeout(refresh, REFRESH_AFTER_MS); };
  stream.addEventListener("message", later);
  // What was told before the stream stood, or while it was broken, is caught up with.
  stream.addEventListener("open", later);
  addEventListener("pagehide", () => stream.close());
}

for (const form of document.querySelectorAll("form[data-check]")) application(form);
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => delete form.dataset.sent);
}
const summary = document.getElementById("summary");
if (summary && !summary.hidden) summary.focus();
for (const place of document.querySelectorAll("[data-sent]")) sessionStorage.removeItem(draftOf(place.dataset.sent));
live();

// The events that went wrong: arrows lead from dot to dot, a click or Enter opens its life, Esc closes it again.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const dots = [...document.querySelectorAll("a.dot")].sort((one, other) => one.dataset.at - other.dataset.at);
  const dialog = document.getElementById("life");
  if (!dialog) return;
  const told = dialog.querySelector(".told"), place = dialog.querySelector(".place");
  let current = -1; // which dot has the keyboard
  let fromDot = false; // whether the life was opened from there

  // Of all dots one can be reached by Tab; from there the arrows lead on.
  function reach(n) {
    current = Math.min(Math.max(0, n), dots.length - 1);
    for (const [i, dot] of dots.entries()) dot.tabIndex = i === current ? 0 : -1;
    axis.reveal(Number(dots[current].dataset.at));
  }
  const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -dots.length, End: dots.length };

  function open(href) {
    const life = document.querySelector(href), dot = dots.findIndex((each) => each.getAttribute("href") === href);
    told.replaceChildren(...[...life.children].map((part) => part.cloneNode(true)));
    for (const summary of told.querySelectorAll("summary")) {
      const title = document.createElement("h3");
      title.id = "life-title";
      title.append(...summary.childNodes);
      summary.replaceWith(title);
    }
    place.textContent = dot < 0 ? "" : `${dot + 1} of ${dots.length}`;
    if (dot >= 0) reach(dot);
    for (const each of dots) each.toggleAttribute("aria-current", each === dots[dot]);
    document.dispatchEvent(new CustomEvent("mark", { detail: dot < 0 ? null : Number(dots[dot].dataset.at) }));
    for (const button of dialog.querySelectorAll("[data-by]")) button.hidden = dot < 0;
    if (!dialog.open) {
      fromDot = dots.includes(document.activeElement);
      dialog.showModal();
    }
    dialog.scrollTop = 0;
    const track = document.getElementById("track-events"), covered = dialog.getBoundingClientRect().top;
    if (fromDot && track.getBoundingClientRect().bottom > covered) track.scrollIntoView();
  }
  const openNext = (steps) => {
    reach(current + steps);
    open(dots[current].getAttribute("href"));
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#life-']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(link.getAttribute("href"));
  });
  for (const dot of dots) {
    dot.addEventListener("keydown", (event) => {
      if (event.key === " ") open(dot.getAttribute("href"));
      else if (event.key in by) reach(dots.indexOf(dot) + by[event.key]);
      else return;
      event.preventDefault();
      if (!dialog.open) dots[current].focus();
    });
  }
  dialog.addEventListener("keydown", (event) => {
    if (!(event.key in by) || current < 0 || dialog.querySelector("[data-by]").hidden) return;
    event.preventDefault();
    openNext(by[event.key]);
  });
  for (const button of dialog.querySelectorAll("[data-by]")) {
    button.addEventListener("click", () => openNext(Number(button.dataset.by)));
  }
  dialog.querySelector(".close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); }); // beside it
  dialog.addEventListener("close", () => {
    document.dispatchEvent(new CustomEvent("mark", { detail: null }));
    for (const dot of dots) dot.removeAttribute("aria-current");
    if (fromDot) dots[current].focus();
  });
  if (dots.length) reach(0);
});

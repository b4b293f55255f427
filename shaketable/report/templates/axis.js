// The time axis: which part of the run all tracks show, who moves it, who follows it. Seconds after T0.
"use strict";
const axis = {
  end: 1,
  shown: [0, 1],
  followers: [],

  follow(follower) {
    this.followers.push(follower);
    follower(...this.shown);
  },

  // Never less than a second, never beyond the run: what is pushed beyond it keeps its width.
  show(begin, until) {
    const width = Math.min(this.end, Math.max(1, until - begin));
    const from = Math.min(Math.max(0, begin), this.end - width);
    const [left, right] = this.shown;
    if (Math.abs(from - left) + Math.abs(from + width - right) < 1e-6) return;
    this.shown = [from, from + width];
    for (const follower of this.followers) follower(...this.shown);
  },

  whole() { this.show(0, this.end); },

  zoom(factor, around = (this.shown[0] + this.shown[1]) / 2) {
    const [left, right] = this.shown;
    this.show(around - (around - left) * factor, around + (right - around) * factor);
  },

  pan(share) {
    const [left, right] = this.shown;
    this.show(left + (right - left) * share, right + (right - left) * share);
  },

  reveal(at) {
    const [left, right] = this.shown;
    if (at < left || at > right) this.show(at - (right - left) / 2, at + (right - left) / 2);
  },
};

document.addEventListener("DOMContentLoaded", () => {
  const section = document.getElementById("tracks"), tracks = section.querySelector(".axis");
  axis.end = Number(section.dataset.end);
  axis.shown = [0, axis.end];
  axis.follow((begin, end) => {
    section.style.setProperty("--begin", begin);
    section.style.setProperty("--span", end - begin);
    for (const dot of section.querySelectorAll(".dot")) {
      const at = Number(dot.dataset.at);
      dot.classList.toggle("beyond", at < begin || at > end);
    }
  });

  const moves = {
    "0": () => axis.whole(), "+": () => axis.zoom(0.5), "=": () => axis.zoom(0.5), "-": () => axis.zoom(2),
    ArrowLeft: () => axis.pan(-0.25), ArrowRight: () => axis.pan(0.25),
  };
  tracks.addEventListener("keydown", (event) => {
    const own = event.target === tracks || !event.key.startsWith("Arrow"); // arrows on a dot lead to the next one
    if (!own || event.ctrlKey || event.metaKey || event.altKey || !(event.key in moves)) return;
    event.preventDefault();
    moves[event.key]();
  });
  for (const button of section.querySelectorAll("button[data-key]")) {
    button.addEventListener("click", moves[button.dataset.key]);
  }
  for (const button of section.querySelectorAll("button[data-begin]")) {
    const begin = Number(button.dataset.begin), end = Number(button.dataset.end), margin = (end - begin) * 0.15;
    button.addEventListener("click", () => axis.show(begin - margin, end + margin));
  }

  // Where the pointer is on the axis, and how many seconds a pixel is.
  function scale() {
    const box = tracks.getBoundingClientRect(), style = getComputedStyle(section);
    const left = box.left + parseFloat(style.getPropertyValue("--left"));
    const width = box.right - parseFloat(style.getPropertyValue("--right")) - left;
    return { left, second: width / (axis.shown[1] - axis.shown[0]) };
  }
  tracks.addEventListener("wheel", (event) => {
    const sideways = event.shiftKey ? event.deltaX || event.deltaY : event.deltaX;
    const { left, second } = scale();
    if (event.ctrlKey) axis.zoom(2 ** (event.deltaY / 300), axis.shown[0] + (event.clientX - left) / second);
    else if (Math.abs(sideways) > Math.abs(event.deltaY) || event.shiftKey) {
      axis.show(...axis.shown.map((edge) => edge + sideways / second));
    } else return; // the page scrolls
    event.preventDefault();
  }, { passive: false });

  // Shift and drag: before the tracks see it, who would zoom.
  tracks.addEventListener("pointerdown", (event) => {
    if (!event.shiftKey || event.button) return;
    event.stopPropagation();
    event.preventDefault();
    const { second } = scale(), [left, right] = axis.shown;
    const move = ({ clientX }) => {
      const by = (event.clientX - clientX) / second;
      axis.show(left + by, right + by);
    };
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", () => document.removeEventListener("pointermove", move), { once: true });
  }, { capture: true });
});

// The page's own script: paints the lanes for light or dark, names what fits, tells values under the pointer, zooms.
"use strict";
document.addEventListener("DOMContentLoaded", async () => {
  if (typeof Bokeh === "undefined") return;
  const whole = new Promise((done) => setTimeout(done, 50));
  while (!Bokeh.documents.length || !Bokeh.documents[0].roots().length) await whole;
  const page = Bokeh.documents[0];
  const lanes = page.roots();
  const models = new Set(lanes.flatMap((lane) => [...lane.references()]));
  const bins = page.get_model_by_name("bins");
  const time = page.get_model_by_name("time");

  function paint() {
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue("--ink").trim(), soft = style.getPropertyValue("--soft").trim();
    for (const model of models) {
      if ("major_label_text_color" in model) model.major_label_text_color = soft;
      if (!model.tags.includes("ink")) continue;
      (model.glyph ?? model).text_color = ink;
    }
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  paint();

  // A name is drawn whole, shortened, or not at all, by the room that its block has now.
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = "11px system-ui, sans-serif";
  function shortened(name, width) {
    for (let letters = name.length; letters > 2; letters -= 1) {
      const shown = letters === name.length ? name : name.slice(0, letters - 1).trim() + "…";
      if (pen.measureText(shown).width <= width) return shown;
    }
    return "";
  }
  function fit() {
    const room = Math.max(1, lanes[0].inner_width) / (time.end - time.start);
    for (const source of models) {
      if (!source.tags.includes("fit")) continue;
      const { left, right, full } = source.data;
      const from = Array.from(left, (at) => Math.max(at, time.start));
      const shown = Array.from(full, (name, i) => shortened(name, (Math.min(right[i], time.end) - from[i]) * room - 10));
      source.data = { ...source.data, from, shown };
    }
  }
  for (const property of [time.properties.start, time.properties.end]) property.change.connect(fit);
  lanes[0].properties.inner_width.change.connect(fit);
  fit();

  function show(begin, end) {
    time.setv({ start: Math.max(0, begin), end: Math.min(time.bounds[1], end) });
  }

  const outputs = document.querySelectorAll("output[data-column]");
  const told = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
  function tell(at) {
    const edges = bins.data.x; // each bin has two rows, where it begins and where it ends
    let bin = -2;
    while (at !== null && bin + 2 < edges.length && edges[bin + 2] <= at) bin += 2;
    for (const output of outputs) {
      const { column, unit, rest } = output.dataset;
      const value = bin < 0 ? null : bins.data[column][bin];
      output.textContent = bin < 0 ? rest : Number.isNaN(value) ? "–" : told.format(value) + unit;
    }
  }
  for (const lane of lanes) {
    for (const event of ["mousemove", "tap"]) lane.on_event(event, ({ x }) => tell(x));
    lane.on_event("mouseleave", () => tell(null));
    lane.on_event("doubletap", () => setTimeout(() => show(0, time.bounds[1])));
    // A finger scrolls the page: on such a screen the buttons zoom.
    if (matchMedia("(pointer: coarse)").matches) lane.toolbar.active_drag = null;
  }

  for (const button of document.querySelectorAll("button[data-begin]")) {
    button.addEventListener("click", () => {
      const begin = Number(button.dataset.begin), end = Number(button.dataset.end), margin = (end - begin) * 0.15;
      show(begin - margin, end + margin);
    });
  }
});

// The tracks that Bokeh draws: painted for light, dark or paper, on the page's one axis, telling values under the pointer.
"use strict";
const PAPER = 740; // pixels across a sheet
document.addEventListener("DOMContentLoaded", async () => {
  if (typeof Bokeh === "undefined") return;
  const drawn = () => [...Bokeh.index.roots].filter((view) => view.canvas_view?.events_el);
  while (!drawn().length || drawn().length < Bokeh.documents[0].roots().length) {
    await new Promise((done) => setTimeout(done, 20));
  }
  const page = Bokeh.documents[0];
  const tracks = page.roots();
  const models = new Set(tracks.flatMap((track) => [...track.references()]));
  const bins = page.get_model_by_name("bins");
  const time = page.get_model_by_name("time");

  function paint() {
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue("--ink").trim(), soft = style.getPropertyValue("--soft").trim();
    for (const model of models) {
      if ("major_label_text_color" in model) model.major_label_text_color = soft;
      if (model.tags.includes("ink")) (model.glyph ?? model).text_color = ink;
      if (model.tags.includes("mark")) model.line_color = ink;
    }
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  for (const event of ["beforeprint", "afterprint"]) {
    addEventListener(event, () => {
      const region = document.querySelector(".axis"), width = region.offsetWidth; // what is drawn keeps its width
      if (event === "beforeprint") region.style.cssText = `--drawn: ${width}px; --shrunk: ${Math.min(1, PAPER / width)}`;
      document.documentElement.toggleAttribute("data-paper", event === "beforeprint");
      paint();
      for (const view of drawn()) { // at once: paper does not wait for the next frame
        for (const drawn of view.renderer_views.values()) drawn.set_visuals?.(drawn.model.data_source);
        view.request_paint();
        view.paint();
      }
    });
  }
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
    const room = Math.max(1, tracks[0].inner_width) / (time.end - time.start);
    for (const source of models) {
      if (!source.tags.includes("fit")) continue;
      const { left, right, full } = source.data;
      const from = Array.from(left, (at) => Math.max(at, time.start));
      const shown = Array.from(full, (name, i) => shortened(name, (Math.min(right[i], time.end) - from[i]) * room - 10));
      source.data = { ...source.data, from, shown };
    }
  }
  for (const property of [time.properties.start, time.properties.end]) {
    property.change.connect(() => axis.show(time.start, time.end));
    property.change.connect(fit);
  }
  axis.follow((begin, end) => time.setv({ start: begin, end }));
  tracks[0].properties.inner_width.change.connect(fit);
  fit();

  // The event whose life is open.
  document.addEventListener("mark", ({ detail }) => {
    for (const model of models) {
      if (model.tags.includes("mark")) model.setv({ location: detail ?? 0, visible: detail !== null });
    }
  });

  const outputs = document.querySelectorAll("output[data-column]");
  // As the page's other numbers: thousands separators, and about three significant digits.
  const number = (value) => value.toLocaleString("en", Number.isInteger(value) || Math.abs(value) >= 1000
    ? { maximumFractionDigits: 0 } : Math.abs(value) >= 10 ? { maximumFractionDigits: 1 } : { maximumSignificantDigits: 3 });
  function tell(at) {
    const edges = bins.data.x; // each bin has two rows, where it begins and where it ends
    let bin = -2;
    while (at !== null && bin + 2 < edges.length && edges[bin + 2] <= at) bin += 2;
    for (const output of outputs) {
      const { column, unit, rest, words } = output.dataset;
      const value = bin < 0 ? null : bins.data[column][bin];
      const said = words ? JSON.parse(words)[value] : Number.isNaN(value) ? "–" : number(value) + unit;
      output.textContent = bin < 0 ? rest : said ?? "–";
    }
  }
  for (const { canvas_view } of drawn()) canvas_view.events_el.removeAttribute("tabindex"); // the axis has it
  for (const track of tracks) {
    for (const event of ["mousemove", "tap"]) track.on_event(event, ({ x }) => tell(x));
    track.on_event("mouseleave", () => tell(null));
    track.on_event("doubletap", () => setTimeout(() => axis.whole()));
    // A finger scrolls the page: on such a screen the buttons zoom.
    if (matchMedia("(pointer: coarse)").matches) track.toolbar.active_drag = null;
  }
  document.documentElement.dataset.drawn = ""; // all of it follows from here on
});

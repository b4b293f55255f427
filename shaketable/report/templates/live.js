// The live page: asks the run for its state twice a second and draws it. All text of the run is set as text.
"use strict";
const $ = (id) => document.getElementById(id);
const number = (value) => typeof value === "number" ? value.toLocaleString("en", { maximumFractionDigits: 0 }) : value ?? "–";
const COLOURS = { acknowledged: "#3b82d6", queued: "#cf8a2e", stored: "#219c7d", health: "#219c7d" };
const HEIGHTS = { CLOSED: 0.22, HALF_OPEN: 0.62, OPEN: 1 }, STATES = { CLOSED: "#46a37c", HALF_OPEN: "#e2a72e", OPEN: "#d9534f" };

function shape(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function item(...parts) {
  const made = document.createElement("li");
  made.append(...parts);
  return made;
}

// The growth a second between samples, or the values themselves; an unknown one leaves a gap.
function points(samples, column, rate) {
  return samples.map((sample, i) => {
    if (!rate) return [sample[0], sample[column]];
    const before = samples[Math.max(0, i - 4)];
    const known = i && sample[column] !== null && before[column] !== null && sample[0] > before[0];
    return [sample[0], known ? Math.max(0, (sample[column] - before[column]) / (sample[0] - before[0])) : null];
  });
}

function bands(faults, end) {
  return faults.map(({ begin, until }) => shape("rect", {
    x: begin / end * 1000, width: Math.max(1, ((until ?? end) - begin) / end * 1000), y: 0, height: 80, fill: "#d9534f", opacity: 0.15,
  }));
}

function draw(name, found, most, state, end) {
  let path = "", pen = false;
  for (const [at, value] of found) {
    if (value !== null) path += `${pen ? "L" : "M"}${(at / end * 1000).toFixed(1)},${(78 - value / most * 74).toFixed(1)}`;
    pen = value !== null;
  }
  const line = shape("path", { d: path, fill: "none", stroke: COLOURS[name], "stroke-width": 2, "vector-effect": "non-scaling-stroke" });
  $(`lane-${name}`).replaceChildren(...bands(state.faults, end), line);
  $(`most-${name}`).textContent = name === "health" ? "" : `· most ${number(most)}`;
}

function drawBreakers(state, end) {
  const all = Object.values(state.breakers), height = 80 / Math.max(1, all.length);
  const bars = all.flatMap((spans, row) => spans.map(({ name, begin, until }) => {
    const tall = (height - 4) * (HEIGHTS[name] ?? 0.4);
    return shape("rect", { x: begin / end * 1000, width: Math.max(1, ((until ?? end) - begin) / end * 1000),
      y: (row + 1) * height - tall, height: tall, fill: STATES[name] ?? "#8b95a5" });
  }));
  $("most-breakers").textContent = `· ${Object.keys(state.breakers).join(", ")}`;
  $("lane-breakers").replaceChildren(...bands(state.faults, end), ...bars);
}

function show(state) {
  const { status, samples } = state, end = Math.max(1, samples.at(-1)?.[0] ?? 1), { result, ended } = state;
  $("scenario").textContent = state.scenario;
  $("ended").hidden = !ended.length;
  $("ended").querySelector("ul").replaceChildren(...ended.map(({ name, verdict, sentence, report }, n) => {
    const badge = document.createElement("span"), link = document.createElement("a");
    badge.className = `badge ${verdict}`;
    badge.textContent = verdict;
    link.href = `report/${n}`;
    link.target = "_blank";
    link.textContent = "report";
    return item(badge, ` ${name}: ${sentence} `, ...(report ? [link] : []));
  }));
  $("messages").replaceChildren(...state.messages.map((text) => item(text)));
  if (state.over) {
    const verdict = result?.verdict ?? "not judged", name = ended.length > 1 ? `${result.name}: ` : "";
    $("head").className = verdict.replace(" ", "-");
    $("phase").textContent = verdict[0].toUpperCase() + verdict.slice(1);
    $("sentence").textContent = result ? name + result.sentence : "The run ended without a verdict.";
  } else if (status) {
    $("phase").textContent = status.phase[0].toUpperCase() + status.phase.slice(1);
    $("sentence").textContent = status.left_s === null ? "The load has ended." : `${number(Math.max(0, status.left_s))} s of load left.`;
  }
  if (!status) return;
  const tiles = { scheduled: status.scheduled, acknowledged: status.acknowledged, stored: status.stored, queued: status.queue,
    health: status.health, breaker: status.breaker };
  for (const [name, value] of Object.entries(tiles)) $(`tile-${name}`).textContent = number(value);
  $("faults").textContent = status.faults.join(", ") || "none";
  const lanes = { acknowledged: points(samples, 1, true), stored: points(samples, 2, true), queued: points(samples, 3, false),
    health: points(samples, 4, false) };
  for (const [name, found] of Object.entries(lanes)) {
    draw(name, found, name === "health" ? 100 : Math.max(1, ...found.map(([, value]) => value ?? 0)), state, end);
  }
  drawBreakers(state, end);
  $("until").textContent = number(end);
}

let over = false;
async function follow() {
  try {
    const answer = await fetch("state");
    const state = await answer.json();
    show(state);
    over = state.over;
    $("lost").hidden = true;
  } catch {
    $("lost").hidden = over;
  }
  setTimeout(follow, 500);
}
document.addEventListener("DOMContentLoaded", follow);

"use strict";
{
const data = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);

// What the reader chose stays when the page is loaded anew.
const key = "lighter-report";
let chosen = {};
try { chosen = JSON.parse(sessionStorage.getItem(key)) || {}; } catch {}
const keep = () => { try { sessionStorage.setItem(key, JSON.stringify(chosen)); } catch {} };
const tool = (id, act) => {
  const input = $(id);
  if (!input) return () => undefined;
  const property = input.type === "checkbox" ? "checked" : "value";
  if (id in chosen) input[property] = chosen[id];
  input.addEventListener("input", () => { chosen[id] = input[property]; keep(); act(); });
  return () => input[property];
};

const log = tool("log", draw), steps = tool("steps", draw), epochs = tool("epochs", draw), smooth = tool("smooth", draw);
const follow = tool("follow", () => {});
$("tools")?.addEventListener("submit", e => e.preventDefault());

// A running page loads itself anew; one that nobody writes any more says so.
if (data.running) {
  const late = () => Date.now() - data.updated > Math.max(180, 10 * data.refresh) * 1000;
  const look = () => {
    if (follow() !== false && !document.hidden && !late()) return location.reload();
    const stale = $("stale");
    stale.hidden = !late();
    stale.textContent = "The run has not written here for " + age(Date.now() - data.updated) + ": it may have been killed.";
  };
  if (late()) look();
  setInterval(look, Math.max(5, data.refresh) * 1000);
}

function age(ms) {
  const minutes = Math.round(ms / 60000);
  if (minutes < 120) return minutes + " minutes";
  return minutes < 2880 ? Math.round(minutes / 60) + " hours" : Math.round(minutes / 1440) + " days";
}

const color = name => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const others = ["c3", "c4", "c5", "c6", "c7", "train", "val", "test"];

// smoothed is the exponential moving average, without the bias of its start.
function smoothed(ys, weight) {
  let sum = 0, norm = 0;
  return ys.map(y => {
    if (y === null) return null;
    sum = weight * sum + (1 - weight) * y;
    norm = weight * norm + (1 - weight);
    return sum / norm;
  });
}

const last = ys => ys.findLast(y => y != null);
const short = v => v == null ? "" : Math.abs(v) >= 1e5 || v !== 0 && Math.abs(v) < 1e-3 ? (+v.toPrecision(4)).toExponential() : +v.toPrecision(5) + "";

let plots = [];

function options(chart, lines, width, isLog) {
  const grid = {stroke: color("line"), width: 1}, axis = {stroke: color("muted"), grid, ticks: grid, font: "11px system-ui, sans-serif"};
  const modes = new Set(lines.map(l => l.mode || ""));
  let other = 0;
  const tone = {};
  const series = lines.map(l => {
    const named = l.mode && modes.size > 1 || l.mode && lines.every(o => o.mode === l.mode && lines.length <= 2);
    const group = named ? l.mode : l.label.replace(/ (step|epoch)$/, "");
    tone[group] ??= named ? l.mode : others[other++ % others.length];
    const c = color(tone[group]), both = lines.some(o => o !== l && o.epoch !== l.epoch);
    return {
      label: l.label, stroke: l.epoch || !both ? c : c + "80", width: l.epoch && both ? 2 : 1.25, spanGaps: false,
      points: {show: l.epoch ? undefined : data.series[l.series].x.length < 3, size: 5, fill: c},
      value: (u, v, i, at) => short(at == null ? last(u.data[i]) : v), // the last one while the mouse is elsewhere
    };
  });
  return {
    width, height: 250, cursor: {sync: {key: "step"}, points: {size: 6}, drag: {x: true, y: false}},
    scales: {x: {time: false}, y: isLog ? {distr: 3, log: 10} : {}},
    axes: [{...axis, size: 36}, {...axis, size: 62, values: (u, vs) => vs.map(v => v == null ? "" : short(v))}],
    series: [{label: "step", value: (u, v, i, at) => (at == null ? last(u.data[0]) : v) ?? ""}, ...series], legend: {live: true},
  };
}

function draw() {
  for (const p of plots) p.destroy();
  plots = [];
  let more = false;
  const weight = +smooth() || 0, isLog = !!log();
  for (const id of ["charts", "more-charts"]) $(id)?.replaceChildren();
  for (const chart of data.charts || []) {
    const lines = chart.lines.filter(l => l.epoch ? epochs() : steps());
    if (!lines.length) continue;
    more ||= chart.hidden;
    const box = document.createElement("div"), title = document.createElement("h3");
    box.className = "chart";
    title.textContent = chart.title;
    box.append(title);
    $(chart.hidden ? "more-charts" : "charts").append(box);
    const table = uPlot.join(lines.map(l => {
      const s = data.series[l.series];
      let ys = weight && !l.epoch ? smoothed(s.y, weight) : s.y;
      if (isLog) ys = ys.map(y => y > 0 ? y : null);
      return [s.x, ys];
    }));
    const shown = table.slice(1).some(ys => ys.some(y => y != null));
    if (isLog && !shown) {
      title.textContent += " (nothing above 0 to show on a log scale)";
      continue;
    }
    const plot = new uPlot(options(chart, lines, Math.max(200, box.clientWidth - 20), isLog), table, box);
    plot.box = box;
    plots.push(plot);
  }
  if ($("more")) $("more").hidden = !more;
}

function fit() {
  for (const p of plots) {
    const width = p.box.clientWidth - 20;
    if (width > 0 && Math.abs(width - p.width) > 1) p.setSize({width: Math.max(200, width), height: p.height});
  }
}

if ($("charts")) {
  draw();
  const resized = new ResizeObserver(() => requestAnimationFrame(fit));
  for (const id of ["charts", "more-charts"]) resized.observe($(id)); // the second when it is unfolded
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}
}

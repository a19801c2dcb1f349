/** Charts: lines, grouped bars, layered areas and pies, as large as there is room, and their figures for those who listen. */
import { h, svg } from "./dom.js";

const HEIGHT = 240;
const ROUND = 168;
const LETTER = 6.6;
const KINDS = { line: "Line chart", bar: "Bar chart", area: "Area chart", pie: "Pie chart" };

const exact = new Intl.NumberFormat("en", { maximumFractionDigits: 6 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
/** How the numbers of an axis are written: all long, or all short. */
const writer = (marks) => (Math.max(...marks.map(Math.abs)) >= 10_000 ? short : exact);
const share = (part, whole) => `${exact.format(Math.round((part / whole) * 1000) / 10)} %`;

const colour = (index) => `tone-${index % 12}`;

// Lines, bars and areas

/** Round numbers from the lowest to the highest, zero among them. */
function ticks(low, high) {
  const rough = (high - low || 4) / 4;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((times) => times * unit).find((size) => size >= rough);
  const [first, last] = [Math.floor(low / step), Math.ceil((high === low ? step : high) / step)];
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}

function room(chart, width) {
  const { categories, x_label: below, y_label: beside } = chart.axis_config;
  const values = chart.series.flatMap((one) => one.data.map((point) => point.value));
  const marks = ticks(Math.min(0, ...values), Math.max(0, ...values));
  const { format } = writer(marks);
  const left = 12 + LETTER * Math.max(...marks.map((value) => format(value).length)) + (beside ? 18 : 0);
  const box = { left, right: width - 8, top: 10, bottom: HEIGHT - (below ? 44 : 26), width };
  const band = (box.right - box.left) / categories.length;
  const scale = (box.bottom - box.top) / (marks.at(-1) - marks[0]);
  return { ...box, band, marks, format, x: (index) => box.left + band * (index + 0.5), y: (value) => box.bottom - (value - marks[0]) * scale };
}

function axes(chart, at) {
  const { categories, x_label: below, y_label: beside } = chart.axis_config;
  const widest = LETTER * Math.max(...categories.map((name) => name.length)) + 10;
  const each = Math.ceil(widest / at.band);
  const middle = (at.top + at.bottom) / 2;
  return [
    at.marks.map((value) => [
      svg("line", { class: value === 0 ? "zero" : "grid", x1: at.left, x2: at.right, y1: at.y(value), y2: at.y(value) }),
      svg("text", { class: "mark", x: at.left - 7, y: at.y(value) + 4, "text-anchor": "end" }, at.format(value)),
    ]),
    categories.map((name, index) =>
      index % each ? null : svg("text", { class: "mark", x: held(at.x(index), widest, at), y: at.bottom + 17, "text-anchor": "middle" }, name),
    ),
    below ? svg("text", { class: "axis", x: (at.left + at.right) / 2, y: HEIGHT - 5, "text-anchor": "middle" }, cut(below, at.right - at.left)) : null,
    beside ? svg("text", { class: "axis", x: 11, y: middle, "text-anchor": "middle", transform: `rotate(-90 11 ${middle})` }, cut(beside, at.bottom - at.top)) : null,
  ];
}

/** Letters that there is no room for are left out. */
function cut(words, space) {
  const most = Math.floor(space / (LETTER + 0.6));
  return words.length > most ? `${words.slice(0, most - 1)}…` : words;
}

/** A long name at the edge stays inside. */
const held = (x, wide, at) => Math.min(Math.max(x, wide / 2), at.width - wide / 2 + 4);

const valueOf = (one, category) => one.data.find((point) => point.label === category).value;

const named = (one, category) => svg("title", {}, `${one.name}, ${category}: ${exact.format(valueOf(one, category))}`);

function path(one, categories, at) {
  return categories.map((category, index) => `${index ? "L" : "M"}${at.x(index)} ${at.y(valueOf(one, category))}`).join("");
}

function dots(one, index, categories, at) {
  return categories.map((category, place) =>
    svg("circle", { class: `dot ${colour(index)}`, cx: at.x(place), cy: at.y(valueOf(one, category)), r: 3.2 }, named(one, category)),
  );
}

function bar(one, index, count, categories, at) {
  const wide = Math.min((at.band * 0.74) / count, 44);
  return categories.map((category, place) => {
    const value = valueOf(one, category);
    const [top, foot] = [at.y(Math.max(value, 0)), at.y(Math.min(value, 0))];
    const x = at.x(place) + (index - count / 2) * wide;
    return svg("rect", { class: `bar ${colour(index)}`, x: x + 0.5, y: top, width: Math.max(wide - 1, 1), height: Math.max(foot - top, 0.5), rx: 2 }, named(one, category));
  });
}

const DRAWN = {
  line: (one, index, chart, at) => {
    const { categories } = chart.axis_config;
    return [svg("path", { class: `stroke ${colour(index)}`, d: path(one, categories, at) }), dots(one, index, categories, at)];
  },
  area: (one, index, chart, at) => {
    const { categories } = chart.axis_config;
    const outline = path(one, categories, at);
    const closed = `${outline}L${at.x(categories.length - 1)} ${at.y(0)}L${at.x(0)} ${at.y(0)}Z`;
    return [svg("path", { class: `fill ${colour(index)}`, d: closed }), svg("path", { class: `stroke ${colour(index)}`, d: outline }), dots(one, index, categories, at)];
  },
  bar: (one, index, chart, at) => bar(one, index, chart.series.length, chart.axis_config.categories, at),
};

function plot(chart, width, label) {
  const at = room(chart, width);
  const marks = chart.series.map((one, index) => DRAWN[chart.type](one, index, chart, at));
  return svg("svg", { role: "img", "aria-label": label, width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}` }, axes(chart, at), marks);
}

// Pies

function slice(segment, index, from, whole) {
  const about = svg("title", {}, `${segment.label}: ${exact.format(segment.value)} (${share(segment.value, whole)})`);
  const radius = ROUND / 2 - 2;
  const middle = ROUND / 2;
  if (segment.value === whole) return svg("circle", { class: `slice ${colour(index)}`, cx: middle, cy: middle, r: radius }, about);
  const on = (value) => {
    const angle = (value / whole) * 2 * Math.PI - Math.PI / 2;
    return `${middle + radius * Math.cos(angle)} ${middle + radius * Math.sin(angle)}`;
  };
  const large = segment.value > whole / 2 ? 1 : 0;
  const d = `M${middle} ${middle}L${on(from)}A${radius} ${radius} 0 ${large} 1 ${on(from + segment.value)}Z`;
  return svg("path", { class: `slice ${colour(index)}`, d }, about);
}

const total = (segments) => segments.reduce((sum, one) => sum + one.value, 0);

function round(chart, label) {
  const whole = total(chart.segments);
  let from = 0;
  const slices = chart.segments.map((segment, index) => {
    const drawn = slice(segment, index, from, whole);
    from += segment.value;
    return drawn;
  });
  return svg("svg", { role: "img", "aria-label": label, width: ROUND, height: ROUND, viewBox: `0 0 ${ROUND} ${ROUND}` }, slices);
}

// In words

function legend(entries) {
  const line = ([name, more], index) => h("li", {}, h("span", { class: `swatch ${colour(index)}` }), h("span", {}, name), more ? h("span", { class: "share" }, more) : null);
  return h("ul", { class: "legend", "aria-hidden": "true" }, entries.map(line));
}

function figures(block) {
  const { chart } = block;
  const row = (tag, cells) => h("tr", {}, cells.map((words, column) => h(column ? tag : "th", { scope: tag === "th" ? "col" : column ? null : "row" }, words)));
  const head = chart.type === "pie" ? ["Part", "Value", "Share"] : ["Series", ...chart.axis_config.categories];
  const rows =
    chart.type === "pie"
      ? chart.segments.map((one) => [one.label, exact.format(one.value), share(one.value, total(chart.segments))])
      : chart.series.map((one) => [one.name, ...chart.axis_config.categories.map((category) => exact.format(valueOf(one, category)))]);
  return h("div", { class: "unseen" }, h("table", {}, h("caption", {}, block.title), h("thead", {}, row("th", head)), h("tbody", {}, rows.map((cells) => row("td", cells)))));
}

/** Drawn again when there is more room or less, so that its letters keep their size. */
export function chart(block) {
  const { chart: given, title } = block;
  const parts = given.type === "pie" ? given.segments.map((one) => one.label) : given.series.map((one) => one.name);
  const label = `${title}. ${KINDS[given.type]}: ${parts.join(", ")}.`;
  const frame = h("div", { class: "frame" });
  const figure = h("figure", { class: `block chart ${given.type}` }, h("figcaption", {}, title), frame);
  if (given.type === "pie") {
    const whole = total(given.segments);
    frame.append(round(given, label), legend(given.segments.map((one) => [one.label, share(one.value, whole)])));
  } else {
    const canvas = h("div", { class: "canvas" });
    const fit = ([entry]) => entry.contentRect.width > 0 && canvas.replaceChildren(plot(given, Math.round(entry.contentRect.width), label));
    new ResizeObserver(fit).observe(frame);
    frame.append(canvas, parts.length > 1 ? legend(parts.map((name) => [name])) : "");
  }
  figure.append(figures(block));
  return figure;
}

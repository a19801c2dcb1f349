/** Things to fill in. Each node has `read`, which says what is in it: text, names, or null. */
import { h } from "./dom.js";
import { mrkdwn, plain } from "./mrkdwn.js";

const said = (text, context) => (text.type === "mrkdwn" ? mrkdwn(text.text, context) : plain(text.text));

/** What the app put in before anyone touched it. */
export function initial(element) {
  const key = Object.keys(element).find((name) => name.startsWith("initial_"));
  const given = key ? element[key] : null;
  const name = (entry) => (typeof entry === "object" ? entry.value : String(entry));
  if (Array.isArray(given)) return given.map(name);
  return given === null ? null : name(given);
}

const hint = (element) => (element.placeholder ? plain(element.placeholder.text) : "");

function typed(element, filled) {
  const tag = element.multiline ? "textarea" : "input";
  const shape = element.multiline ? { rows: 4 } : { type: "text", inputmode: KEYBOARDS[element.type] };
  const node = h(tag, { class: "entry", ...shape, placeholder: hint(element), autocomplete: "off" });
  node.value = filled ?? "";
  node.read = () => node.value || null;
  return node;
}

const KEYBOARDS = { number_input: "decimal", email_text_input: "email", url_text_input: "url" };

function picker(type) {
  return (element, filled) => {
    const node = h("input", { class: "entry", type });
    node.value = filled ?? "";
    node.read = () => node.value || null;
    return node;
  };
}

/** The app counts seconds; the browser's own clock says which minute they are here. */
function moment(element, filled) {
  const node = picker("datetime-local")(element, filled === null ? "" : local(Number(filled)));
  node.read = () => (node.value ? String(Math.floor(new Date(node.value).getTime() / 1000)) : null);
  return node;
}

function local(seconds) {
  const when = new Date(seconds * 1000);
  return new Date(when.getTime() - when.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

const option = (entry) => h("option", { value: entry.value }, plain(entry.text.text));

const choice = (value, text) => ({ value, text: { type: "plain_text", text } });

function offered(element, context) {
  if (element.option_groups) return element.option_groups.flatMap((group) => group.options);
  if (element.options) return element.options;
  if (element.type.includes("users")) return context.people().map((one) => choice(one.id, one.real_name));
  return context.channels().map((place) => choice(place.id, `#${place.name}`));
}

function menu(element, filled, context) {
  const words = hint(element) || "Choose";
  const none = h("option", { value: "", disabled: !context.clearable, selected: true }, words);
  const groups = element.option_groups?.map((group) => h("optgroup", { label: plain(group.label.text) }, group.options.map(option)));
  const node = h("select", { class: "button menu" }, none, groups ?? offered(element, context).map(option));
  node.value = filled ?? "";
  node.read = () => node.value || null;
  return node;
}

const PAUSE = 200;

/** A menu whose options the app keeps: what is typed is looked for there, and only what it offers can be chosen. */
function search(element, filled, context) {
  const known = new Map((element.options ?? []).map((entry) => [entry.value, plain(entry.text.text)]));
  const list = h("datalist", { id: `${context.id}-options` });
  const node = h("input", { class: "entry", type: "text", list: list.id, placeholder: hint(element) || "Search", autocomplete: "off" });
  let chosen = filled;
  let waiting = 0;
  const offer = (entries) => {
    for (const entry of entries) known.set(entry.value, plain(entry.text.text));
    list.replaceChildren(...entries.map((entry) => h("option", { value: plain(entry.text.text) })));
  };
  const ask = async () => {
    const words = node.value;
    const found = (await context.search?.(element, words)) ?? [];
    if (node.value === words) offer(found);
  };
  node.value = known.get(chosen) ?? "";
  node.addEventListener("focus", ask);
  node.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, PAUSE);
  });
  // Before anyone else hears of the change: words that the app did not offer are no choice.
  node.addEventListener("change", () => {
    chosen = node.value ? ([...known].find(([, words]) => words === node.value)?.[0] ?? chosen) : null;
    node.value = known.get(chosen) ?? "";
  });
  node.read = () => chosen || null;
  node.beside = list;
  return node;
}

/** One of several, or several of several: boxes in a list, whatever the app called it. */
function ticks(type) {
  return (element, filled, context) => {
    const chosen = [filled ?? []].flat();
    const boxes = offered(element, context).map((entry) => {
      const box = h("input", { type, name: context.id, value: entry.value });
      box.checked = chosen.includes(entry.value);
      return { box, entry };
    });
    const lines = boxes.map(({ box, entry }) => {
      const more = entry.description ? h("small", {}, said(entry.description, context)) : null;
      return h("label", {}, box, h("span", {}, said(entry.text, context), more));
    });
    const long = element.type.startsWith("multi_");
    const node = h("div", { class: long ? "ticks list" : "ticks", role: type === "radio" ? "radiogroup" : "group" }, lines);
    const marked = () => boxes.filter(({ box }) => box.checked).map(({ box }) => box.value);
    node.read = () => (type === "radio" ? marked()[0] : marked().length ? marked() : null) ?? null;
    if (element.max_selected_items) node.addEventListener("change", () => limit(boxes, element.max_selected_items));
    limit(boxes, element.max_selected_items);
    return node;
  };
}

function limit(boxes, most) {
  const full = most && boxes.filter(({ box }) => box.checked).length >= most;
  for (const { box } of boxes) box.disabled = Boolean(full && !box.checked);
}

const DRAWN = {
  plain_text_input: typed,
  number_input: typed,
  email_text_input: typed,
  url_text_input: typed,
  datepicker: picker("date"),
  timepicker: picker("time"),
  datetimepicker: moment,
  static_select: menu,
  external_select: search,
  users_select: menu,
  channels_select: menu,
  conversations_select: menu,
  radio_buttons: ticks("radio"),
  checkboxes: ticks("checkbox"),
  multi_static_select: ticks("checkbox"),
  multi_users_select: ticks("checkbox"),
  multi_channels_select: ticks("checkbox"),
  multi_conversations_select: ticks("checkbox"),
};

export const isField = (element) => element.type in DRAWN;

export const isTyped = (element) => element.type.endsWith("_input");

export const isGroup = (node) => node.classList.contains("ticks");

/** `context.id` names it among all that is on the page; `context.clearable`: whether a choice can be taken back. */
export function field(element, filled, context) {
  const node = DRAWN[element.type](element, filled, context);
  node.id = context.id;
  return node;
}

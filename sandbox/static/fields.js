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
  if (element.type === "external_select") return [];
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
  external_select: menu,
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

/** Things to press and choose from. Each tells `context.press` what was done with it. */
import { byId, h } from "./dom.js";
import { mrkdwn, plain } from "./mrkdwn.js";

const said = (text, context) => (text.type === "mrkdwn" ? mrkdwn(text.text, context) : plain(text.text));

/** Asks first where the app wants it asked. */
async function agreed(confirm, context) {
  if (!confirm) return true;
  const dialog = byId("confirm");
  byId("confirm-title").textContent = plain(confirm.title.text);
  byId("confirm-text").replaceChildren(...[said(confirm.text, context)].flat());
  byId("confirm-yes").textContent = plain(confirm.confirm.text);
  byId("confirm-yes").className = `button ${confirm.style === "danger" ? "danger" : "primary"}`;
  byId("confirm-deny").textContent = plain(confirm.deny.text);
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((done) => dialog.addEventListener("close", done, { once: true }));
  return dialog.returnValue === "yes";
}

async function act(node, element, value, context) {
  if (!(await agreed(element.confirm, context))) return;
  node.disabled = true;
  await context.press(element.action_id, value);
  node.disabled = false;
}

function button(element, context) {
  const attributes = { type: "button", class: `button ${element.style ?? ""}`, "aria-label": element.accessibility_label };
  const node = h("button", attributes, plain(element.text.text));
  node.addEventListener("click", () => {
    if (element.url) window.open(element.url, "_blank", "noopener");
    act(node, element, element.value ?? "", context);
  });
  return node;
}

const option = (entry) => h("option", { value: entry.value }, plain(entry.text.text));

function choices(element, context) {
  if (element.option_groups)
    return element.option_groups.map((group) => h("optgroup", { label: plain(group.label.text) }, group.options.map(option)));
  if (element.options) return element.options.map(option);
  if (element.type.includes("users")) return context.people().map((m) => h("option", { value: m.id }, m.real_name));
  return context.channels().map((place) => h("option", { value: place.id }, `#${place.name}`));
}

function menu(element, context, placeholder) {
  const first = h("option", { value: "", disabled: true, selected: true }, placeholder);
  const many = element.type.startsWith("multi_") || element.type === "external_select";
  const node = h("select", { class: "button menu", "aria-label": placeholder, disabled: many }, first, choices(element, context));
  const initial = element.initial_option?.value ?? element.initial_user ?? element.initial_channel ?? "";
  node.value = initial;
  node.addEventListener("change", async () => {
    await act(node, element, node.value, context);
    if (element.type === "overflow") node.value = "";
  });
  return node;
}

function picker(element, context, type) {
  const initial = element.initial_date ?? element.initial_time ?? "";
  const node = h("input", { class: "button", type, value: initial, "aria-label": element.placeholder?.text ?? type });
  node.addEventListener("change", () => act(node, element, node.value, context));
  return node;
}

function ticks(element, context, type) {
  const lines = element.options.map((entry) => {
    const node = h("input", { type, name: `${context.ts}-${element.action_id}`, value: entry.value });
    node.addEventListener("change", () => act(node, element, entry.value, context));
    const more = entry.description ? h("small", {}, said(entry.description, context)) : null;
    return h("label", {}, node, h("span", {}, said(entry.text, context), more));
  });
  return h("div", { class: "ticks", role: "group" }, lines);
}

const DRAWN = {
  button,
  overflow: (element, context) => {
    const node = menu(element, context, "⋯");
    node.classList.add("overflow");
    node.setAttribute("aria-label", "More");
    return node;
  },
  datepicker: (element, context) => picker(element, context, "date"),
  timepicker: (element, context) => picker(element, context, "time"),
  datetimepicker: (element, context) => picker(element, context, "datetime-local"),
  checkboxes: (element, context) => ticks(element, context, "checkbox"),
  radio_buttons: (element, context) => ticks(element, context, "radio"),
};

export function interactive(element, context) {
  if (DRAWN[element.type]) return DRAWN[element.type](element, context);
  return menu(element, context, plain(element.placeholder?.text ?? "Choose"));
}

/** Things to click and choose from. Each tells `context.press` what was done with it. */
import { byId, h } from "./dom.js";
import { field, initial, isField } from "./fields.js";
import { mrkdwn, plain } from "./mrkdwn.js";

const said = (text, context) => (text.type === "mrkdwn" ? mrkdwn(text.text, context) : plain(text.text));

/** Asks first where the app wants it asked. */
export async function agreed(confirm, context) {
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
  if (!(await agreed(element.confirm, context))) return false;
  node.disabled = true;
  await context.press(element.action_id, value);
  node.disabled = false;
  return true;
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

function overflow(element, context) {
  const first = h("option", { value: "", disabled: true, selected: true }, "⋯");
  const options = element.options.map((entry) => h("option", { value: entry.value }, plain(entry.text.text)));
  const node = h("select", { class: "button menu overflow", "aria-label": "More" }, first, options);
  node.addEventListener("change", async () => {
    await act(node, element, node.value, context);
    node.value = "";
  });
  return node;
}

const LABELS = { datepicker: "date", timepicker: "time", datetimepicker: "date and time" };

let drawn = 0;

/** A menu in a message: what is chosen goes to the app at once, or back to what it was if the person thinks again. */
function chooser(element, context) {
  const before = initial(element);
  const label = plain(element.placeholder?.text ?? LABELS[element.type] ?? "Choose");
  const make = (filled) => {
    drawn += 1;
    const node = field(element, filled, { ...context, id: `choice-${drawn}` });
    node.classList.remove("entry");
    if (node.tagName === "INPUT") node.classList.add("button");
    node.setAttribute("aria-label", label);
    node.addEventListener("change", async () => {
      const kept = await act(node, element, node.read() ?? "", context);
      if (!kept) node.replaceWith(make(filled));
    });
    return node;
  };
  return make(before);
}

export function interactive(element, context) {
  if (isField(element)) return chooser(element, context);
  return element.type === "overflow" ? overflow(element, context) : button(element, context);
}

const forBlock = (context, block) => ({ ...context, block, press: (action, value) => context.press(block.block_id, action, value) });

/** Of what stands in a block; a modal and the Home tab draw by themselves what can be filled in. */
export const control = (element, context, block) => (context.interactive ?? interactive)(element, forBlock(context, block));

/** What modals and the Home tab share of their forms: the label of an input, and when it is told what is in it. */
import { h } from "./dom.js";
import { isGroup, isTyped } from "./fields.js";
import { plain } from "./mrkdwn.js";

const PAUSE = 300;

/** An `input` block around the node that is filled in; `below` is what stands between that and the hint. */
export function labelled(block, node, below = null) {
  const { element } = block;
  if (!block.optional && !isGroup(node)) node.setAttribute("aria-required", "true");
  const optional = block.optional ? h("span", { class: "optional" }, " (optional)") : null;
  const words = [plain(block.label.text), optional];
  const label = isGroup(node) ? h("span", { class: "label", id: `${node.id}-label` }, words) : h("label", { class: "label", for: node.id }, words);
  if (isGroup(node)) node.setAttribute("aria-labelledby", `${node.id}-label`);
  const enter = block.dispatch_action && isTyped(element) && !element.dispatch_action_config ? h("p", { class: "advice" }, "Press Enter to send this.") : null;
  return h(
    "div",
    { class: "block input", "data-block": block.block_id },
    label,
    node,
    node.beside ?? null,
    below,
    enter,
    block.hint ? h("p", { class: "advice", id: `${node.id}-hint` }, plain(block.hint.text)) : null,
  );
}

/** Calls `dispatch` when the app is to be told at once, `keep` when it need only be remembered.
 *
 * A field that is taken off the page may say that it changed: if it `isStale`, no person did that.
 */
export function whenFilled(block, element, node, { isStale, typing, dispatch, keep }) {
  const dispatches = block.type !== "input" || block.dispatch_action;
  const when = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  let waiting = 0;
  node.addEventListener("input", () => {
    typing?.();
    clearTimeout(waiting);
    if (dispatches && isTyped(element) && when.includes("on_character_entered")) waiting = setTimeout(dispatch, PAUSE);
  });
  node.addEventListener("change", () => {
    if (isStale()) return;
    if (dispatches && !isTyped(element)) dispatch();
    else keep();
  });
  if (!dispatches || !isTyped(element) || !when.includes("on_enter_pressed")) return;
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    dispatch();
  });
}

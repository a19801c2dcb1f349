/** The modal that the app opened: a form over the page, which stays until it is submitted or closed. */
import { avatar, byId, h } from "./dom.js";
import { drawBlocks } from "./blocks.js";
import { agreed, interactive } from "./elements.js";
import { field, isField, isGroup } from "./fields.js";
import { labelled, whenFilled } from "./inputs.js";
import { plain } from "./mrkdwn.js";

/** `send` tells the server what was done: the view, what was done, all that is filled in, and what it was done to.
 *
 * `search` gives what the app offers for a text that is typed into a menu of its own.
 */
export function startModal({ send, search }) {
  const dialog = byId("modal");
  const form = byId("modal-form");
  const fields = new Map();
  const unsent = new Map();
  const names = new Map();
  const forgiven = new Set();
  let shown = null;
  let context = null;
  let typed = 0;
  let sent = { of: "", doing: "" };
  let looking = false;

  function values() {
    const all = {};
    for (const { block, element, node } of fields.values()) (all[block.block_id] ??= {})[element.action_id] = node.read();
    return all;
  }

  /** What was typed is known to the server once its answer is shown: what it said before may come in between. */
  async function tell(doing, more = {}) {
    const order = { view: shown.id, do: doing, values: values(), ...more };
    const told = new Map(unsent);
    try {
      await send(order);
      for (const [id, turn] of told) if (unsent.get(id) === turn) unsent.delete(id);
    } catch (error) {
      if (shown?.id !== order.view) return;
      shown.notice = error.message;
      showErrors();
    }
  }

  /** What is shown now differs from what was shown before a submission was answered. */
  const version = ({ id, hash, answered }) => `${id} ${hash} ${answered}`;

  const isBusy = () => Boolean(sent.of);

  /** Two clicks are one submission; but who waits for the answer may close the form all the same. */
  async function once(doing) {
    if (!shown || (sent.of === version(shown) && [doing, "dismiss"].includes(sent.doing))) return;
    looking = doing === "submit";
    forgiven.clear();
    const mine = { of: version(shown), doing };
    wait(mine);
    try {
      await tell(doing);
    } finally {
      if (sent === mine) wait({ of: "", doing: "" });
    }
  }

  function wait(forWhat) {
    sent = forWhat;
    dialog.setAttribute("aria-busy", String(isBusy()));
    byId("modal-submit").setAttribute("aria-disabled", String(isBusy()));
  }

  /** The page may hear of the answer before the answer itself arrives: what is shown by then can be clicked. */
  function stopWaiting() {
    if (isBusy() && (!shown || sent.of !== version(shown))) wait({ of: "", doing: "" });
  }

  // What is in it

  /** Names that the app chose may have any letters; those of nodes may not. The same field keeps its name. */
  function nameOf(block, element) {
    const key = JSON.stringify([block.block_id, element.action_id]);
    if (!names.has(key)) names.set(key, `field-${names.size}`);
    return names.get(key);
  }

  function fill(block, element, clearable) {
    const id = nameOf(block, element);
    const before = fields.get(id);
    const kept = unsent.has(id) && before?.element.type === element.type;
    const known = shown.values[block.block_id]?.[element.action_id] ?? null;
    const node = field(element, kept ? before.node.read() : known, { ...context, id, clearable, search: lookUp(block) });
    drawnNow.set(id, { block, element, node });
    listen(block, element, node);
    return node;
  }

  /** What the app offers for a text; nothing if it does not answer. */
  const lookUp = (block) => async (element, value) => {
    if (!shown) return [];
    const order = { view: shown.id, do: "search", block_id: block.block_id, action_id: element.action_id, value };
    return search(order).catch(() => []);
  };

  function listen(block, element, node) {
    const at = { block_id: block.block_id, action_id: element.action_id };
    whenFilled(block, element, node, {
      isStale: () => fields.get(node.id)?.node !== node || !dialog.open,
      typing: () => {
        unsent.set(node.id, (typed += 1));
        forgive(block.block_id);
      },
      dispatch: async () => {
        const asked = await agreed(element.confirm, context);
        if (asked) await tell("act", { ...at, value: node.read() });
        else redraw();
      },
      keep: () => isBusy() || tell("keep"),
    });
  }

  function input(block) {
    const node = fill(block, block.element, Boolean(block.optional));
    const described = [block.hint ? `${node.id}-hint` : "", `${node.id}-error`].filter(Boolean).join(" ");
    node.setAttribute("aria-describedby", described);
    return labelled(block, node, h("p", { class: "field-error", id: `${node.id}-error`, "aria-live": "polite" }));
  }

  function inBlock(element, forBlock) {
    if (!isField(element)) return interactive(element, forBlock);
    const node = fill(forBlock.block, element, true);
    const label = element.placeholder?.text ?? forBlock.block.text?.text ?? "Choose";
    node.setAttribute("aria-label", plain(label));
    return node;
  }

  // Drawing

  let drawnNow = new Map();

  function redraw() {
    const focus = dialog.contains(document.activeElement) ? document.activeElement.id : "";
    const around = {
      ...context,
      ts: shown.id,
      input,
      interactive: inBlock,
      press: (block, action, value) => tell("act", { block_id: block, action_id: action, value }),
    };
    drawnNow = new Map();
    byId("modal-blocks").replaceChildren(...drawBlocks(shown.blocks, around));
    fields.clear();
    drawnNow.forEach((value, key) => fields.set(key, value));
    for (const id of unsent.keys()) if (!fields.has(id)) unsent.delete(id);
    byId("modal-title").textContent = plain(shown.title);
    byId("modal-submit").hidden = !shown.submit;
    byId("modal-submit").textContent = plain(shown.submit);
    byId("modal-close").textContent = plain(shown.close) || (shown.submit ? "Cancel" : "Close");
    return focus;
  }

  function forgive(blockId) {
    forgiven.add(blockId);
    showErrors();
  }

  /** What the server still says of a field that was changed since is not true any more. */
  const errorOf = (block) => (forgiven.has(block.block_id) ? "" : (shown.errors[block.block_id] ?? ""));

  function showErrors() {
    for (const { block, node } of fields.values()) {
      if (block.type !== "input") continue;
      const words = errorOf(block);
      const place = byId(`${node.id}-error`);
      if (place.textContent !== words) place.textContent = words;
      place.parentElement.classList.toggle("wrong", Boolean(words));
      node.setAttribute("aria-invalid", String(Boolean(words)));
    }
    const notice = byId("modal-notice");
    if (notice.textContent !== shown.notice) notice.textContent = shown.notice;
    notice.hidden = !shown.notice;
  }

  const reach = (node) => (isGroup(node) ? node.querySelector("input") : node);

  function focusFirstError() {
    const wrong = [...fields.values()].find(({ block }) => errorOf(block));
    if (!wrong) return;
    looking = false;
    reach(wrong.node)?.focus();
  }

  function focusFirst() {
    const wanted = [...fields.values()].find(({ element }) => element.focus_on_load) ?? fields.values().next().value;
    (wanted ? reach(wanted.node) : byId(shown.submit ? "modal-submit" : "modal-close"))?.focus();
  }

  function show(modal, around) {
    context = around;
    if (!modal) {
      shown = null;
      stopWaiting();
      fields.clear();
      unsent.clear();
      if (dialog.open) dialog.close();
      return;
    }
    const another = shown?.id !== modal.id;
    const changed = another || shown.hash !== modal.hash;
    if (another) {
      unsent.clear();
      fields.clear();
      forgiven.clear();
    }
    shown = modal;
    stopWaiting();
    if (changed) {
      byId("modal-mark").replaceChildren(avatar(context.member(context.app), "small"));
      const focus = redraw();
      if (!dialog.open) dialog.showModal();
      if (another) byId("modal-scroll").scrollTop = 0;
      if (another) focusFirst();
      else if (focus) byId(focus)?.focus();
    }
    showErrors();
    if (looking) focusFirstError();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (shown?.submit) once("submit");
  });
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    once("dismiss");
  });
  byId("modal-close").addEventListener("click", () => once("dismiss"));
  byId("modal-x").addEventListener("click", () => once("dismiss"));
  return { show };
}

/** The app's Home tab: what it published for the person, with things to click and to fill in. */
import { byId, h } from "./dom.js";
import { drawBlocks } from "./blocks.js";
import { agreed, interactive } from "./elements.js";
import { field, isField } from "./fields.js";
import { labelled, whenFilled } from "./inputs.js";
import { freshness } from "./messages.js";
import { plain } from "./mrkdwn.js";

/** `send` tells the server what was done on it. */
export function startHome({ send }) {
  const place = byId("home-blocks");
  let shown = null;
  let context = null;
  let whose = "";
  let drawn = 0;
  let nodes = new Map();
  const underWay = new Map();

  const act = (at, value) => send({ home: shown.id, do: "act", block_id: at.block, name: at.action, value });

  /** What is on its way to the server is not in what that said before. */
  async function tell(key, node, doing) {
    underWay.set(key, node);
    await doing(node.read());
    if (underWay.get(key) === node) underWay.delete(key);
  }

  function fill(block, element, clearable) {
    drawn += 1;
    const at = { block: block.block_id, action: element.action_id };
    const key = `${at.block} ${at.action} ${element.type}`;
    const known = shown.values[at.block]?.[at.action] ?? null;
    const node = field(element, underHand.has(key) ? underHand.get(key) : known, { ...context, id: `home-field-${drawn}`, clearable });
    nodes.set(key, node);
    whenFilled(block, element, node, {
      isStale: () => nodes.get(key) !== node,
      dispatch: async () => {
        if (await agreed(element.confirm, context)) await tell(key, node, (value) => act(at, value));
        else redraw();
      },
      keep: () => tell(key, node, (value) => send({ home: shown.id, do: "keep", values: { [at.block]: { [at.action]: value } } })),
    });
    return node;
  }

  function inBlock(element, around) {
    if (!isField(element)) return interactive(element, around);
    const node = fill(around.block, element, true);
    node.setAttribute("aria-label", plain(element.placeholder?.text ?? around.block.text?.text ?? "Choose"));
    return node;
  }

  function input(block) {
    const node = fill(block, block.element, Boolean(block.optional));
    if (block.hint) node.setAttribute("aria-describedby", `${node.id}-hint`);
    return labelled(block, node);
  }

  const reachable = () => [...place.querySelectorAll("button, input, select, textarea")];

  /** What a person is typing when a new version comes is still theirs. */
  let underHand = new Map();

  function redraw() {
    const focus = reachable().indexOf(document.activeElement);
    const theirs = [...nodes].filter(([key, node]) => node === document.activeElement || underWay.has(key));
    underHand = new Map(theirs.map(([key, node]) => [key, node.read()]));
    nodes = new Map();
    const press = (block, action, value) => act({ block, action }, value);
    const around = { ...context, ts: shown.id, input, interactive: inBlock, press };
    const nothing = h("p", { class: "nothing" }, `${context.member(context.app).real_name} hasn't put anything here yet.`);
    place.replaceChildren(...(shown.blocks.length ? drawBlocks(shown.blocks, around) : [nothing]));
    if (focus >= 0) reachable()[focus]?.focus({ preventScroll: true });
  }

  /** A version is drawn once, so that what a person types or turns over in it stays. */
  function show(home, around) {
    context = around;
    const now = [around.me, home.id, home.hash, freshness(home, around)].join(" ");
    shown = home;
    if (now === whose) return;
    const another = !whose.startsWith(`${around.me} `);
    whose = now;
    if (another) {
      place.replaceChildren();
      nodes = new Map();
    }
    redraw();
    if (another) byId("home").scrollTop = 0;
  }

  return { show };
}

/** Every node of the page is built here: content only ever becomes text, never markup. */
export const h = (name, attributes = {}, ...children) => build(document.createElement(name), attributes, children);

/** Part of a drawing. */
export const svg = (name, attributes = {}, ...children) => build(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);

function build(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

/** The same node for the same words each time: a click that began on it, or a list that is open, outlives the next drawing. */
export function once(create) {
  const nodes = new Map();
  return (...words) => {
    const key = words.filter((word) => typeof word === "string").join("\n");
    if (!nodes.has(key)) nodes.set(key, create(...words));
    return nodes.get(key);
  };
}

/** Puts nodes where they are not yet: to take one out, even for a moment, loses the click that began on it. */
export function keep(parent, nodes) {
  const isThere = parent.childNodes.length === nodes.length && nodes.every((node, at) => parent.childNodes[at] === node);
  if (!isThere) parent.replaceChildren(...nodes);
}

export const byId = (id) => document.getElementById(id);

export const DECODED = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };

/** The only three entities there are; anything else stays as it was written. */
export const decode = (text) => text.replace(/&(?:lt|gt|amp);/g, (entity) => DECODED[entity]);

/** A link that may be followed; every other address stays text. */
export function link(address, label) {
  if (!/^(https?:\/\/|mailto:)/i.test(address)) return typeof label === "string" ? label : address;
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, label);
}

export function avatar(member, size = "") {
  const mark = h("span", { class: `avatar ${size}${member.is_bot ? " app" : ""}`, "aria-hidden": "true" }, member.initials);
  mark.style.setProperty("--colour", /^#[0-9a-f]{3,8}$/i.test(member.colour) ? member.colour : "#5c6670");
  return mark;
}

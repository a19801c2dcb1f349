/** The light mark-up of messages: *bold*, _italic_, ~strike~, `code`, quotes, links, mentions, dates. */
import { decode, h, link } from "./dom.js";
import { formatDate } from "./dates.js";
import { emoji } from "./emoji.js";

const WRAPPERS = { "*": "strong", _: "em", "~": "s" };
const SPECIAL = /<([^<>\n]+)>|`([^`\n]+)`|:([a-z0-9_+-]+):|\n/g;

/** The whole of a text: fenced code, then quotes, then lines. */
export function mrkdwn(text, context) {
  const nodes = [];
  text.split(/```(?:\n)?([\s\S]*?)```\n?/).forEach((part, index) => {
    if (index % 2) nodes.push(h("pre", {}, h("code", {}, plainCode(part, context))));
    else if (part) nodes.push(...quotes(part, context));
  });
  return nodes;
}

/** Text that is not marked up: three entities and emoji codes. */
export function plain(text) {
  return decode(text.replace(/:([a-z0-9_+-]+):/g, (_, name) => emoji(name)));
}

function quotes(text, context) {
  const nodes = [];
  let quoted = [];
  let open = [];
  const close = () => {
    if (quoted.length) nodes.push(h("blockquote", {}, inline(quoted.join("\n"), context)));
    if (open.length) nodes.push(h("span", { class: "lines" }, inline(open.join("\n"), context)));
    quoted = [];
    open = [];
  };
  for (const line of text.replace(/\n$/, "").split("\n")) {
    const found = /^(?:&gt;|>) ?(.*)$/.exec(line);
    if (found ? open.length : quoted.length) close();
    (found ? quoted : open).push(found ? found[1] : line);
  }
  close();
  return nodes;
}

/** Atoms (links, code, emoji, line ends) become placeholders first, so that styles can span them. */
function inline(text, context) {
  const atoms = [];
  const held = text.replace(SPECIAL, (whole, angled, code, name) => {
    atoms.push(atom(whole, angled, code, name, context));
    return `\uE000${atoms.length - 1}\uE001`;
  });
  return styled(held, atoms);
}

function atom(whole, angled, code, name, context) {
  if (whole === "\n") return h("br");
  if (code !== undefined) return h("code", {}, plainCode(code, context));
  if (name !== undefined) return emoji(name);
  return special(angled, context);
}

const STYLE = /(^|[\s\uE001(\[{"'.,;:!?>/-])([*_~])(?=\S)([^\n]*?\S)\2(?=$|[\s\uE000)\]}"'.,;:!?</-])/;

function styled(text, atoms) {
  const found = STYLE.exec(text);
  if (!found) return filled(text, atoms);
  const [whole, before, mark, inner] = found;
  const after = text.slice(found.index + whole.length);
  return [
    ...filled(text.slice(0, found.index) + before, atoms),
    h(WRAPPERS[mark], {}, styled(inner, atoms)),
    ...styled(after, atoms),
  ];
}

const filled = (text, atoms) =>
  text
    .split(/\uE000(\d+)\uE001/)
    .map((part, index) => (index % 2 ? atoms[Number(part)] : decode(part)))
    .filter((part) => part !== "" && part !== undefined);

/** In code nothing is styled, but mentions and links still say what they mean. */
function plainCode(text, context) {
  return text.split(/<([^<>\n]+)>/).map((part, index) => {
    if (index % 2 === 0) return decode(part);
    const node = special(part, context);
    return typeof node === "string" ? node : node.textContent;
  });
}

function special(inside, context) {
  const bar = inside.indexOf("|");
  const target = bar < 0 ? inside : inside.slice(0, bar);
  const label = bar < 0 ? "" : decode(inside.slice(bar + 1));
  if (target.startsWith("@")) return person(target.slice(1), label, context);
  if (target.startsWith("#")) return channel(target.slice(1), label, context);
  if (target.startsWith("!")) return command(target.slice(1), label, context);
  if (/^(https?:\/\/|mailto:)/i.test(target)) return link(decode(target), label || decode(target));
  return decode(`<${inside}>`);
}

export function person(id, label, context) {
  const member = context.member(id);
  const mine = id === context.me ? " mine" : "";
  return h("span", { class: `mention${mine}` }, `@${member?.real_name || label || id}`);
}

export function channel(id, label, context) {
  const found = context.channel(id);
  if (!found) return h("span", { class: "mention" }, `#${label || id}`);
  return h("button", { type: "button", class: "mention", onclick: () => context.open(id) }, `#${found.name}`);
}

function command(name, label, context) {
  const [verb, ...rest] = name.split("^");
  if (verb === "date") {
    const said = formatDate(rest[0], decode(rest[1] ?? ""), label, context.zone);
    const when = h("time", { title: label }, said);
    return rest[2] ? link(decode(rest[2]), when) : when;
  }
  if (verb === "subteam") {
    const group = context.group(rest[0]);
    return h("span", { class: "mention" }, `@${group?.handle ?? (label.replace(/^@/, "") || rest[0])}`);
  }
  if (["here", "channel", "everyone"].includes(verb)) return h("span", { class: "mention loud" }, `@${verb}`);
  return label || decode(`<!${name}>`);
}

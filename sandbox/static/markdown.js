/** Standard Markdown, as the `markdown` block takes it: the parts that messages use. */
import { h, link } from "./dom.js";
import { emoji } from "./emoji.js";

const INLINE = /`([^`]+)`|\*\*(\S(?:.*?\S)?)\*\*|~~(\S(?:.*?\S)?)~~|\*(\S(?:[^*]*?\S)?)\*|\b_(\S(?:[^_]*?\S)?)_\b|\[([^\]]+)\]\(([^)\s]+)\)|:([a-z0-9_+-]+):/;

function inline(text) {
  const found = INLINE.exec(text);
  if (!found) return [text];
  const [whole, code, strong, strike, star, under, label, address, name] = found;
  const rest = inline(text.slice(found.index + whole.length));
  const before = text.slice(0, found.index);
  if (code) return [before, h("code", {}, code), ...rest];
  if (strong) return [before, h("strong", {}, inline(strong)), ...rest];
  if (strike) return [before, h("s", {}, inline(strike)), ...rest];
  if (star || under) return [before, h("em", {}, inline(star || under)), ...rest];
  if (name) return [before, emoji(name), ...rest];
  return [before, link(address, label), ...rest];
}

const KINDS = [
  ["heading", /^(#{1,6})\s+(.*)$/],
  ["rule", /^(?:-{3,}|\*{3,})\s*$/],
  ["bullet", /^\s*[-*+]\s+(.*)$/],
  ["number", /^\s*\d+[.)]\s+(.*)$/],
  ["quote", /^>\s?(.*)$/],
  ["row", /^\|(.*)\|\s*$/],
  ["blank", /^\s*$/],
];

function kindOf(line) {
  for (const [kind, pattern] of KINDS) {
    const found = pattern.exec(line);
    if (found) return { kind, found };
  }
  return { kind: "text", found: [line, line] };
}

const BUILD = {
  bullet: (lines) => h("ul", {}, lines.map((found) => h("li", {}, inline(found[1])))),
  number: (lines) => h("ol", {}, lines.map((found) => h("li", {}, inline(found[1])))),
  quote: (lines) => h("blockquote", {}, broken(lines.map((found) => found[1]))),
  text: (lines) => h("p", {}, broken(lines.map((found) => found[1]))),
  heading: (lines) => lines.map((found) => h("p", { class: `heading level-${found[1].length}` }, inline(found[2]))),
  rule: () => h("hr"),
  row: (lines) => table(lines.map((found) => found[1].split("|").map((cell) => cell.trim()))),
  blank: () => null,
};

const broken = (lines) => lines.flatMap((line, index) => (index ? [h("br"), ...inline(line)] : inline(line)));

function table(rows) {
  const kept = rows.filter((cells) => !cells.every((cell) => /^:?-+:?$/.test(cell)));
  const [head = [], ...body] = kept;
  const line = (cells, tag) => h("tr", {}, cells.map((cell) => h(tag, {}, inline(cell))));
  return h("div", { class: "table" }, h("table", {}, h("thead", {}, line(head, "th")), h("tbody", {}, body.map((cells) => line(cells, "td")))));
}

/** Neighbouring lines of one kind make one thing: a list, a quote, a paragraph. */
export function markdown(text) {
  const nodes = [];
  text.split(/^```.*\n([\s\S]*?)^```\s*$\n?/m).forEach((part, index) => {
    if (index % 2) nodes.push(h("pre", {}, h("code", {}, part)));
    else nodes.push(...groups(part).map(({ kind, lines }) => BUILD[kind](lines)));
  });
  return nodes.flat().filter(Boolean);
}

function groups(text) {
  const found = [];
  for (const line of text.split("\n")) {
    const next = kindOf(line);
    const last = found.at(-1);
    if (last?.kind === next.kind) last.lines.push(next.found);
    else found.push({ kind: next.kind, lines: [next.found] });
  }
  return found;
}

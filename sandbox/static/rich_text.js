/** The `rich_text` block: structured text instead of mark-up. */
import { h, link } from "./dom.js";
import { formatDate } from "./dates.js";
import { emoji } from "./emoji.js";
import { channel, person } from "./mrkdwn.js";

const INK = { bold: "strong", italic: "em", strike: "s", underline: "u", code: "code" };

function inked(content, style = {}) {
  return Object.entries(INK).reduce((node, [key, tag]) => (style[key] ? h(tag, {}, node) : node), content);
}

const lines = (text) => text.split("\n").flatMap((line, index) => (index ? [h("br"), line] : [line]));

const INLINE = {
  text: (part) => lines(part.text),
  link: (part) => link(part.url, part.text || part.url),
  emoji: (part) => emoji(part.name),
  user: (part, context) => person(part.user_id, "", context),
  usergroup: (part, context) => h("span", { class: "mention" }, `@${context.group(part.usergroup_id)?.handle ?? part.usergroup_id}`),
  channel: (part, context) => channel(part.channel_id, "", context),
  broadcast: (part) => h("span", { class: "mention loud" }, `@${part.range}`),
  date: (part, context) => h("time", {}, formatDate(part.timestamp, part.format, part.fallback ?? "", context.zone)),
  color: (part) => part.value,
};

const inlines = (parts, context) =>
  parts.map((part) => inked(INLINE[part.type]?.(part, context) ?? "", part.style)).flat();

const PARTS = {
  rich_text_section: (part, context) => h("p", {}, inlines(part.elements, context)),
  rich_text_quote: (part, context) => h("blockquote", {}, inlines(part.elements, context)),
  rich_text_preformatted: (part, context) => h("pre", {}, h("code", {}, inlines(part.elements, context))),
  rich_text_list(part, context) {
    const items = part.elements.map((item) => h("li", {}, inlines(item.elements, context)));
    const list = h(part.style === "ordered" ? "ol" : "ul", { start: part.offset ? part.offset + 1 : null }, items);
    list.style.marginInlineStart = `${(part.indent ?? 0) * 1.4}em`;
    return list;
  },
};

export const richText = (block, context) => block.elements.map((part) => PARTS[part.type]?.(part, context) ?? "");

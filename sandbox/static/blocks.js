/** Draws the blocks of a message. One function for each type; an unknown type says so instead of vanishing. */
import { h } from "./dom.js";
import { interactive } from "./elements.js";
import { markdown } from "./markdown.js";
import { mrkdwn, plain } from "./mrkdwn.js";
import { richText } from "./rich_text.js";

const words = (text, context) => (text.type === "mrkdwn" ? mrkdwn(text.text, context) : plainLines(text.text));

const plainLines = (text) => plain(text).split("\n").flatMap((line, index) => (index ? [h("br"), line] : [line]));

export const fileAddress = (id, context) => `/page/files/${encodeURIComponent(id)}?as=${encodeURIComponent(context.me)}`;

function addressOf(element, context) {
  if (element.file) return fileAddress(element.file, context);
  return /^(https?:|data:image\/)/i.test(element.image_url ?? "") ? element.image_url : "";
}

export function picture(element, className, context) {
  const address = addressOf(element, context);
  if (!address) return h("span", { class: `${className} missing`, role: "img", "aria-label": element.alt_text }, element.alt_text);
  return h("img", { class: className, src: address, alt: element.alt_text, loading: "lazy", referrerpolicy: "no-referrer" });
}

function section(block, context) {
  const fields = block.fields?.map((field) => h("div", { class: "field" }, words(field, context)));
  const beside = block.accessory;
  return h(
    "div",
    { class: "block section" },
    h(
      "div",
      { class: "section-words" },
      block.text ? h("div", { class: "text" }, words(block.text, context)) : null,
      fields ? h("div", { class: "fields" }, fields) : null,
    ),
    beside ? h("div", { class: "accessory" }, beside.type === "image" ? picture(beside, "thumb", context) : element(beside, context, block)) : null,
  );
}

/** A modal draws what can be filled in by itself. */
const element = (part, context, block) => (context.interactive ?? interactive)(part, forBlock(context, block));

const forBlock = (context, block) => ({ ...context, block, press: (action, value) => context.press(block.block_id, action, value) });

function table(block, context) {
  const settings = block.column_settings ?? [];
  const cell = (content, column, tag) => {
    const node = h(tag, { scope: tag === "th" ? "col" : null }, cellWords(content, context));
    node.style.textAlign = settings[column]?.align ?? (content.type === "raw_number" ? "right" : "left");
    if (!settings[column]?.is_wrapped) node.style.whiteSpace = "nowrap";
    return node;
  };
  const line = (cells, tag) => h("tr", {}, cells.map((content, column) => cell(content, column, tag)));
  const [head, ...body] = block.rows;
  return h(
    "div",
    { class: "block table", tabindex: "0", role: "region", "aria-label": "Table" },
    h("table", {}, h("thead", {}, line(head, "th")), h("tbody", {}, body.map((cells) => line(cells, "td")))),
  );
}

function cellWords(content, context) {
  if (content.type === "rich_text") return richText(content, context);
  return content.type === "raw_number" ? String(content.text ?? content.value) : content.text;
}

const DRAWN = {
  section,
  table,
  header: (block) => h("h3", { class: "block header" }, plain(block.text.text)),
  divider: () => h("hr", { class: "block divider" }),
  context: (block, context) =>
    h(
      "div",
      { class: "block context" },
      block.elements.map((part) => (part.type === "image" ? picture(part, "tiny", context) : h("span", {}, words(part, context)))),
    ),
  actions: (block, context) =>
    h("div", { class: "block actions" }, block.elements.map((part) => element(part, context, block))),
  image: (block, context) =>
    h("figure", { class: "block image" }, block.title ? h("figcaption", {}, plain(block.title.text)) : null, picture(block, "wide", context)),
  alert: (block, context) => h("div", { class: `block alert ${block.level ?? "default"}`, role: "note" }, h("div", {}, words(block.text, context))),
  input: (block, context) => context.input(block),
  markdown: (block) => h("div", { class: "block markdown" }, markdown(block.text)),
  rich_text: (block, context) => h("div", { class: "block rich" }, richText(block, context)),
};

export function drawBlocks(blocks, context) {
  return blocks.map((block) => DRAWN[block.type]?.(block, context) ?? h("div", { class: "block unknown" }, `This page cannot draw ${block.type} yet.`));
}

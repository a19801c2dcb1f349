/** Draws the blocks of a message or a view. One function for each type; an unknown type says so instead of vanishing. */
import { chart } from "./chart.js";
import { h } from "./dom.js";
import { control } from "./elements.js";
import { markdown } from "./markdown.js";
import { mrkdwn, plain } from "./mrkdwn.js";
import { richText } from "./rich_text.js";
import { dataTable, table } from "./tables.js";

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
    beside ? h("div", { class: "accessory" }, beside.type === "image" ? picture(beside, "thumb", context) : control(beside, context, block)) : null,
  );
}

const DRAWN = {
  section,
  table,
  data_table: dataTable,
  data_visualization: chart,
  header: (block) => h("h3", { class: "block header" }, plain(block.text.text)),
  divider: () => h("hr", { class: "block divider" }),
  context: (block, context) =>
    h(
      "div",
      { class: "block context" },
      block.elements.map((part) => (part.type === "image" ? picture(part, "tiny", context) : h("span", {}, words(part, context)))),
    ),
  actions: (block, context) =>
    h("div", { class: "block actions" }, block.elements.map((part) => control(part, context, block))),
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

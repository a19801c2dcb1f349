/** The two kinds of tables: one to read, and one to turn over and sort, with buttons in it. */
import { h } from "./dom.js";
import { control } from "./elements.js";
import { plain } from "./mrkdwn.js";
import { richText } from "./rich_text.js";

export function table(block, context) {
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

/** What a cell is sorted by where its column is not all numbers. */
function sortedBy(cell) {
  if (cell.type === "action_cell") return plain(cell.element.text.text);
  if (cell.type !== "rich_text") return String(cell.text ?? cell.value);
  const texts = (part) => part.text ?? (part.elements ?? []).map(texts).join("");
  return texts(cell);
}

function ordered(rows, { column, down }) {
  if (column === null) return rows;
  const numeric = rows.every((row) => row[column].type === "raw_number");
  const compare = numeric
    ? (one, other) => one[column].value - other[column].value
    : (one, other) => sortedBy(one[column]).localeCompare(sortedBy(other[column]));
  const sorted = rows.toSorted(compare);
  return down ? sorted.reverse() : sorted;
}

/** A click sorts upwards, a second one downwards, a third puts the rows back as the app sent them. */
function nextOrder(order, column) {
  if (order.column !== column) return { column, down: false };
  return order.down ? { column: null, down: false } : { column, down: true };
}

export function dataTable(block, context) {
  const [head, ...rows] = block.rows;
  const size = block.page_size ?? 5;
  const pages = Math.ceil(rows.length / size);
  const named = block.row_header_column_index ?? 0;
  const kinds = head.map((_, column) => (rows.every((row) => row[column].type === "raw_number") ? "figure" : null));
  let order = { column: null, down: false };
  let page = 0;

  const body = h("tbody");
  const range = h("span", { role: "status", "aria-live": "polite" });
  const turn = (words, step) => h("button", { type: "button", class: "button turn", onclick: () => show(page + step) }, words);
  const [before, after] = [turn("Previous", -1), turn("Next", 1)];
  const heads = head.map((cell, column) => {
    const press = () => {
      order = nextOrder(order, column);
      show(0);
    };
    return h("th", { scope: "col", class: kinds[column] }, h("button", { type: "button", class: "sort", onclick: press }, cellWords(cell, context)));
  });

  function drawn(cell, column) {
    const tag = column === named ? "th" : "td";
    const content = cell.type === "action_cell" ? control(cell.element, context, block) : cellWords(cell, context);
    return h(tag, { scope: column === named ? "row" : null, class: kinds[column] }, content);
  }

  function show(wanted) {
    page = wanted;
    const first = page * size;
    const seen = ordered(rows, order).slice(first, first + size);
    body.replaceChildren(...seen.map((row) => h("tr", {}, row.map(drawn))));
    range.textContent = `${first + 1}–${first + seen.length} of ${rows.length}`;
    before.disabled = page === 0;
    after.disabled = page >= pages - 1;
    heads.forEach((node, column) => node.setAttribute("aria-sort", column !== order.column ? "none" : order.down ? "descending" : "ascending"));
  }

  show(0);
  const title = h("caption", {}, block.caption);
  return h(
    "div",
    { class: "block data-table" },
    h("div", { class: "table", tabindex: "0", role: "region", "aria-label": block.caption }, h("table", {}, title, h("thead", {}, h("tr", {}, heads)), body)),
    pages > 1 ? h("div", { class: "turns" }, range, before, after) : null,
  );
}

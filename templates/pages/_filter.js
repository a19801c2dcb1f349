"use strict";
// Without this the list is there as a whole; with it, rows that do not match are hidden.
const form = document.getElementById("filters");
const rows = [...document.querySelectorAll("tr[data-change]")];
const found = document.getElementById("found");
const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const texts = new Map(rows.map((row) => [row, folded(row.textContent)]));

function matches(row, words) {
  const chosen = ["team", "level", "change"].every((name) => {
    const value = form.elements[name].value;
    return value === "" || row.dataset[name] === value;
  });
  return chosen && words.every((word) => texts.get(row).includes(word));
}

function show() {
  const words = folded(form.elements.search.value).split(/\s+/).filter(Boolean);
  for (const row of rows) row.hidden = !matches(row, words);
  const shown = rows.filter((row) => !row.hidden).length;
  found.textContent = `${shown} of ${rows.length} cases`;
}

form.addEventListener("input", show);
form.addEventListener("reset", () => setTimeout(show));
form.addEventListener("submit", (event) => event.preventDefault());
form.hidden = false;
show();

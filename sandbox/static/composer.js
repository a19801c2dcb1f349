/** The line where people write: suggestions for commands, and what was typed before. */
import { byId, h } from "./dom.js";

const REMEMBERED = 50;

export function startComposer({ suggest, send }) {
  const entry = byId("entry");
  const list = byId("suggestions");
  const typed = [];
  let recalled = -1;
  let chosen = -1;
  let offered = [];

  function fit() {
    entry.style.height = "auto";
    entry.style.height = `${Math.min(entry.scrollHeight, 180)}px`;
  }

  function put(text) {
    entry.value = text;
    entry.setSelectionRange(text.length, text.length);
    fit();
  }

  function offer() {
    offered = entry.value.startsWith("/") && recalled < 0 ? suggest(entry.value) : [];
    chosen = -1;
    list.hidden = offered.length === 0;
    list.replaceChildren(...offered.map(row));
    entry.removeAttribute("aria-activedescendant");
  }

  function row(suggestion, index) {
    return h(
      "li",
      { id: `suggestion-${index}`, role: "option", "aria-selected": "false", onmousedown: (event) => take(event, index) },
      h("span", { class: "suggestion-command" }, suggestion.command, " ", h("span", { class: "usage" }, suggestion.usage)),
      h("span", { class: "suggestion-about" }, suggestion.about),
    );
  }

  function take(event, index) {
    event.preventDefault();
    const suggestion = offered[index];
    put(suggestion.usage ? `${suggestion.command} ` : suggestion.command);
    offer();
    entry.focus();
  }

  function choose(step) {
    chosen = (chosen + step + offered.length) % offered.length;
    [...list.children].forEach((node, index) => node.setAttribute("aria-selected", String(index === chosen)));
    list.children[chosen].scrollIntoView({ block: "nearest" });
    entry.setAttribute("aria-activedescendant", `suggestion-${chosen}`);
  }

  function recall(step) {
    const next = Math.max(-1, Math.min(typed.length - 1, recalled + step));
    if (next === recalled) return;
    recalled = next;
    put(next < 0 ? "" : typed[next]);
    offer();
  }

  function submit() {
    const text = entry.value.trim();
    if (!text) return;
    if (typed[0] !== text) typed.unshift(text);
    typed.length = Math.min(typed.length, REMEMBERED);
    recalled = -1;
    put("");
    offer();
    send(text);
  }

  const KEYS = {
    ArrowUp: () => (entry.value === "" || recalled >= 0 ? recall(1) : offered.length ? choose(chosen < 0 ? 0 : -1) : false),
    ArrowDown: () => (recalled >= 0 ? recall(-1) : offered.length ? choose(1) : false),
    Tab: () => (offered.length ? take(new Event("tab"), Math.max(chosen, 0)) : false),
    Escape: () => (offered.length ? ((offered = []), (list.hidden = true)) : false),
    Enter: () => (chosen >= 0 ? take(new Event("enter"), chosen) : submit()),
  };

  entry.addEventListener("keydown", (event) => {
    if (event.isComposing || event.shiftKey || !KEYS[event.key]) return;
    if (KEYS[event.key]() !== false) event.preventDefault();
  });
  entry.addEventListener("input", () => {
    recalled = -1;
    fit();
    offer();
  });
  entry.addEventListener("blur", () => (list.hidden = true));
  entry.addEventListener("focus", offer);
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  return { remember: (text) => typed[0] === text || typed.unshift(text) };
}

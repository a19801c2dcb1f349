/** A message and its replies, beside the conversation, with a line of its own to write in. */
import { byId } from "./dom.js";
import { showMessages } from "./messages.js";

export function startThread({ send, close }) {
  const entry = byId("reply");
  const scroller = byId("thread-scroller");

  function fit() {
    entry.style.height = "auto";
    entry.style.height = `${Math.min(entry.scrollHeight, 140)}px`;
  }

  function submit() {
    const text = entry.value.trim();
    if (!text) return;
    entry.value = "";
    fit();
    send(text);
  }

  /** Nothing to show closes it. */
  function show(parent, replies, place, context) {
    byId("thread").hidden = !parent;
    document.body.classList.toggle("threaded", Boolean(parent));
    if (!parent) return;
    byId("thread-place").textContent = place;
    const list = byId("thread-messages");
    const whose = `${context.me} ${parent.channel} ${parent.ts}`;
    const another = list.dataset.whose !== whose;
    const atEnd = another || scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
    if (another) {
      list.replaceChildren();
      entry.value = "";
    }
    list.dataset.whose = whose;
    showMessages(list, [parent, ...replies], { ...context, inThread: true });
    if (atEnd) scroller.scrollTop = scroller.scrollHeight;
  }

  entry.addEventListener("input", fit);
  entry.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  byId("thread-composer").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  byId("thread-close").addEventListener("click", close);
  return { show };
}

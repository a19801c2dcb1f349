/** The workspace's date and time, and the buttons that move them; only where there is something to move. */
import { byId, h } from "./dom.js";
import { clock, shown } from "./dates.js";
import { now } from "./time.js";

let offered = "";

/** Buttons stay the same nodes, so that a person who used the keyboard finds theirs again. */
export function drawCalendar({ controls, busy, progress }, zone, press) {
  byId("calendar").hidden = controls.length === 0;
  if (!controls.length) return;
  if (offered !== JSON.stringify(controls)) {
    offered = JSON.stringify(controls);
    byId("controls").replaceChildren(...controls.map((control) => button(control, press)));
  }
  for (const node of byId("controls").children) node.disabled = busy;
  byId("calendar").classList.toggle("busy", busy);
  put("calendar-progress", busy ? progress : "");
  byId("calendar-progress").title = progress;
  drawDate(zone);
}

export function drawDate(zone) {
  if (byId("calendar").hidden) return;
  const when = now();
  put("leaf-month", shown(when, zone, { month: "short" }));
  put("leaf-day", shown(when, zone, { day: "numeric" }));
  put("calendar-date", shown(when, zone, { weekday: "long", day: "numeric", month: "long", year: "numeric" }));
  put("calendar-short", shown(when, zone, { weekday: "short", day: "numeric", month: "short", year: "numeric" }));
  put("calendar-time", clock(when, zone));
  put("calendar-zone", zone.split("/").at(-1).replaceAll("_", " "));
}

function put(id, words) {
  const node = byId(id);
  if (node.textContent !== words) node.textContent = words;
}

function button(control, press) {
  const node = h("button", { type: "button", class: "button" }, control.label);
  node.addEventListener("click", async () => {
    await press(control.name);
    if (document.activeElement === document.body) node.focus();
  });
  return node;
}

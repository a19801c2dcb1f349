/** Puts the page together: who is looking, at what, and what they may see of it. */
import { avatar, byId, h, keep, once } from "./dom.js";
import { drawCalendar, drawDate } from "./calendar.js";
import { startComposer } from "./composer.js";
import { clock, dayNumber } from "./dates.js";
import { startHome } from "./home.js";
import { showMessages } from "./messages.js";
import { startModal } from "./modal.js";
import { startThread } from "./thread.js";
import { now, setNow } from "./time.js";

const view = { me: "", place: "", tab: "", thread: "", data: null, seen: new Map(), drawn: "", controls: { beat: -1 }, minute: "" };

// What the server knows

const TROUBLE = "We had some trouble connecting. Try again?";
/** Milliseconds within which the server answers what needs no one else, and those that it takes on top of waiting for the app. */
const PATIENCE = 10_000;

async function ask(path, order, patience = 0) {
  const options = order && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(order) };
  const [isGood, answer] = await fetched(path, options, patience);
  if (!isGood) throw new Error(answer.error);
  return answer;
}

async function fetched(path, options, patience) {
  const leaving = new AbortController();
  const late = patience ? setTimeout(() => leaving.abort(), patience) : 0;
  try {
    const response = await fetch(path, { ...options, signal: leaving.signal });
    return [response.ok, await response.json()];
  } catch {
    throw new Error(TROUBLE);
  } finally {
    clearTimeout(late);
  }
}

let looking = null;
let next = null;

/** Done when what the server knew at the call, or later, is shown.
 *
 * One question is on its way at a time: were a later one to overtake it, nothing would be shown as long as much happens.
 */
function refresh() {
  if (looking) return (next ??= looking.catch(() => {}).then(lookAgain));
  looking = look().finally(() => (looking = null));
  return looking;
}

function lookAgain() {
  next = null;
  return refresh();
}

async function look() {
  const whose = view.me;
  const data = await ask(`/page/state?as=${encodeURIComponent(whose)}`, null, PATIENCE);
  if (view.me !== whose) return; // someone else looks by now
  view.data = data;
  view.me = data.me;
  if (!placeNow()) view.place = data.app.dm;
  takeControls(data);
  draw();
}

/** An answer that was overtaken by an event knows less than the event said. */
function takeControls({ now: when, controls, busy, progress, beat }) {
  if (beat < view.controls.beat) return;
  const moved = beat > view.controls.beat;
  view.controls = { controls, busy, progress, beat };
  setNow(when);
  return moved;
}

const member = (id) => view.data.members.find((one) => one.id === id);
const channel = (id) => view.data.channels.find((one) => one.id === id);
const placeNow = () => view.data && channel(view.place);
const hasTabs = () => Boolean(view.data.home) && view.place === view.data.app.dm;
const atHome = () => hasTabs() && view.tab === "home";

function context() {
  return {
    me: view.me,
    app: view.data.app.user,
    zone: member(view.me).tz,
    member,
    channel: (id) => view.data.channels.find((one) => one.id === id && !one.is_im),
    group: (id) => view.data.groups.find((one) => one.id === id),
    people: () => view.data.members.filter((one) => !one.is_bot && !one.deleted),
    channels: () => view.data.channels.filter((one) => !one.is_im),
    replies: (ts) => placeNow().threads[ts] ?? [],
    open,
    openThread,
    press,
  };
}

// What people do

async function attempt(words, doing) {
  const waiting = setTimeout(() => say(words), 250);
  try {
    const words = await doing();
    clearTimeout(waiting);
    say(words ?? "");
  } catch (error) {
    clearTimeout(waiting);
    say(error.message, true);
  }
}

function say(words, failed = false) {
  byId("status").textContent = words;
  byId("status").classList.toggle("failed", failed);
}

/** The progress stands beside the buttons meanwhile, for everyone who looks. */
function operate(name) {
  return attempt("", async () => {
    const { text } = await ask("/page/controls", { name });
    await refresh();
    return text;
  });
}

function send(text) {
  const waiting = text.startsWith("/") ? `${view.data.app.name} is answering…` : "Sending…";
  view.tab = "";
  return attempt(waiting, async () => {
    // What is typed while the page changes persons belongs to the new one, in a place of theirs.
    await arrived;
    await ask("/page/messages", { as: view.me, channel: view.place, text });
    await refresh();
    toEnd();
  });
}

function press(message, block, action, value) {
  return attempt(`${view.data.app.name} is answering…`, async () => {
    const order = { as: view.me, channel: message.channel, ts: message.ts, block_id: block, action_id: action, value };
    await ask("/page/actions", order);
    await refresh();
  });
}

function reply(text) {
  return attempt("Sending…", async () => {
    await ask("/page/messages", { as: view.me, channel: view.place, text, thread_ts: view.thread });
    await refresh();
  });
}

/** Why the app did not take it; there is no message to say so. */
const UNTAKEN = { operation_timeout: "did not respond in time", dispatch_failed: "could not be reached" };

function onHome(order) {
  const { name } = view.data.app;
  return attempt(order.do === "keep" ? "" : `${name} is answering…`, async () => {
    const { error } = await ask("/page/home", { as: view.me, ...order });
    if (error) throw new Error(`${name} ${UNTAKEN[error]} (${error}).`);
    await refresh();
  });
}

/** The app is told of every visit, and may take its time: what it publishes comes by itself. */
function visit(tab) {
  ask("/page/home", { as: view.me, home: view.data.home.id, do: "open", tab }).catch((error) => say(error.message, true));
}

function openTab(tab) {
  view.tab = tab === "home" ? "home" : "";
  view.thread = "";
  draw();
  visit(tab);
  if (tab === "messages") toEnd();
}

/** The server itself gives up on the app first. */
async function inModal(order) {
  await ask("/page/modals", { as: view.me, ...order }, PATIENCE + view.data.app.deadline * 1000);
  await refresh();
}

async function inMenu(order) {
  return (await ask("/page/modals", { as: view.me, ...order })).options;
}

let arrived = Promise.resolve();

function become(id) {
  arrived = change(id);
  return arrived;
}

async function change(id) {
  view.me = id;
  view.seen.clear();
  // What was asked for the person before is not shown.
  while (view.me === id && view.data?.me !== id) await refresh();
  if (view.me === id && atHome()) visit("home");
  listen();
}

function openThread(ts) {
  view.thread = ts;
  draw();
  byId("reply").focus();
}

function closeThread() {
  view.thread = "";
  draw();
  byId("entry").focus({ preventScroll: true });
}

function open(id) {
  view.place = id;
  view.tab = "";
  view.thread = "";
  drawer(false);
  draw();
  toEnd();
  byId("entry").focus({ preventScroll: true });
}

async function tryHint(hint) {
  if (hint.as && hint.as !== view.me) await become(hint.as);
  composer.remember(hint.command);
  await send(hint.command);
}

// Drawing

function draw() {
  const address = new URL(location.href);
  const thread = view.thread ? { thread: view.thread } : {};
  const tab = atHome() ? { tab: "home" } : {};
  address.search = new URLSearchParams({ as: view.me, in: view.place, ...tab, ...thread }).toString();
  history.replaceState(null, "", address);
  byId("workspace-name").textContent = view.data.workspace.name;
  drawCalendar(view.controls, member(view.me).tz, operate);
  drawPersona();
  drawPlaces();
  drawTop();
  drawTabs();
  drawHints();
  drawMessages();
  drawThread();
  modal.show(view.data.modal, context());
}

function drawPersona() {
  const me = member(view.me);
  byId("persona-avatar").replaceChildren(avatar(me, "large"));
  byId("persona-name").textContent = me.real_name;
  drawClocks();
  const people = context().people();
  const label = (one) => (one.title ? `${one.real_name} · ${one.title}` : one.real_name);
  keep(byId("people"), people.map((one) => option(one.id, label(one))));
  byId("people").value = view.me;
}

function drawClocks() {
  const me = member(view.me);
  byId("persona-title").textContent = [me.title, clock(now(), me.tz)].filter(Boolean).join(" · ");
  drawDate(me.tz);
}

/** Clocks move with the minute, and "today" with the day. */
function tick() {
  if (!view.data) return;
  const zone = member(view.me).tz;
  const [day, minute] = [dayNumber(now(), zone), clock(now(), zone)];
  if (view.minute === `${day} ${minute}`) return;
  view.minute = `${day} ${minute}`;
  drawClocks();
  drawTabs();
  drawMessages();
  drawThread();
}

function drawPlaces() {
  const { channels, app } = view.data;
  const rooms = channels.filter((one) => !one.is_im && !one.is_archived);
  const people = channels.filter((one) => one.is_im && one.id !== app.dm);
  const groups = [
    group("App", [placeRow(channel(app.dm), avatar(member(app.user), "small"), app.name)]),
    group("Channels", rooms.map((one) => placeRow(one, h("span", { class: one.is_private ? "lock" : "hash", "aria-hidden": "true" }), one.name))),
  ];
  const direct = people.map((one) => placeRow(one, avatar(member(one.with), "small"), member(one.with).real_name));
  keep(byId("places"), direct.length ? [...groups, group("Direct messages", direct)] : groups);
}

const option = once((id, words) => h("option", { value: id }, words));
const section = once((title) => h("section", {}, h("h2", {}, title), h("ul")));

function group(title, rows) {
  const node = section(title);
  keep(node.lastChild, rows);
  return node;
}

function placeRow(place, mark, name) {
  const newest = place.messages.at(-1)?.ts ?? "";
  if (place.id === view.place || !view.seen.has(place.id)) view.seen.set(place.id, newest);
  const unread = newest > view.seen.get(place.id);
  const classes = `place-row${unread ? " unread" : ""}${place.is_member ? "" : " outside"}`;
  const row = rowOf(place.id, name, mark);
  const button = row.firstChild;
  button.className = classes;
  button.setAttribute("aria-current", place.id === view.place ? "page" : "false");
  button.lastChild.hidden = !unread;
  return row;
}

const rowOf = once((id, name, mark) => {
  const news = h("span", { class: "dot" }, h("span", { class: "unseen" }, "New messages"));
  return h("li", {}, h("button", { type: "button", onclick: () => open(id) }, mark, h("span", {}, name), news));
});

function drawTop() {
  const place = placeNow();
  const name = place.is_im ? member(place.with).real_name : place.name;
  byId("place-name").replaceChildren(place.is_im ? avatar(member(place.with), "small") : h("span", { class: place.is_private ? "lock" : "hash", "aria-hidden": "true" }), name);
  byId("place-purpose").textContent = place.is_im ? (place.id === view.data.app.dm ? "App" : member(place.with).title) : place.purpose;
  byId("place-members").textContent = place.is_im ? "" : `${place.members.length} ${place.members.length === 1 ? "member" : "members"}`;
  const target = place.is_im ? name : `#${name}`;
  byId("entry").placeholder = place.is_member ? `Message ${target} or type /` : `Not in ${target}; commands still work`;
  byId("entry-label").textContent = `Message ${target}`;
  document.title = `${name} · ${view.data.workspace.name}`;
}

function drawTabs() {
  document.body.classList.toggle("at-home", atHome());
  byId("tabs").hidden = !hasTabs();
  byId("tab-home").setAttribute("aria-current", atHome() ? "page" : "false");
  byId("tab-messages").setAttribute("aria-current", atHome() ? "false" : "page");
  byId("home").hidden = !atHome();
  byId("scroller").hidden = byId("composer").hidden = atHome();
  if (atHome()) home.show(view.data.home, context());
}

function hintRow(hint, shape) {
  const actor = hint.as && hint.as !== view.me ? member(hint.as) : null;
  const about = [hint.label, actor ? `as ${actor.real_name}` : ""].filter(Boolean).join(" · ");
  return h("button", { type: "button", class: shape, onclick: () => tryHint(hint) }, h("code", {}, hint.command), about ? h("span", {}, about) : null);
}

function drawHints() {
  const { hints, welcome } = view.data.workspace;
  const { app } = view.data;
  const state = JSON.stringify([view.me, view.place, hints, welcome]);
  byId("hints").hidden = hints.length === 0;
  if (view.drawn === state) return;
  view.drawn = state;
  byId("hints").replaceChildren(h("h2", {}, "What to try"), welcome ? h("p", {}, welcome) : "", ...hints.map((hint) => hintRow(hint, "hint")));
  byId("chips").replaceChildren(...hints.map((hint) => hintRow({ ...hint, label: "" }, "chip")));
  byId("welcome").replaceChildren(
    avatar(member(app.user), "huge"),
    h("h2", {}, app.name),
    h("p", {}, app.description || `This is where ${app.name} and you talk.`),
    welcome ? h("p", { class: "company" }, welcome) : "",
    h("div", { class: "starters" }, hints.slice(0, 4).map((hint) => hintRow(hint, "hint"))),
  );
}

function drawMessages() {
  const place = placeNow();
  const list = byId("messages");
  const atEnd = isAtEnd();
  byId("welcome").hidden = atHome() || place.messages.length > 0 || place.id !== view.data.app.dm;
  const whose = `${view.me} ${place.id}`;
  if (list.dataset.whose !== whose) list.replaceChildren();
  list.dataset.whose = whose;
  showMessages(list, place.messages, context());
  if (atEnd) toEnd();
}

function drawThread() {
  const place = placeNow();
  const parent = place.messages.find((one) => one.ts === view.thread && !one.ephemeral_to);
  if (!parent) view.thread = "";
  const name = place.is_im ? member(place.with).real_name : `#${place.name}`;
  thread.show(parent, place.threads[view.thread] ?? [], name, context());
}

/** A picture that arrives late must not push the newest message out of sight. */
let resting = true;

const scroller = byId("scroller");
const isAtEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
const toEnd = () => (scroller.scrollTop = scroller.scrollHeight);

/** A note of the workspace introduces the message after it: a page that opens there begins with the note. */
function toNews() {
  const note = placeNow().messages.slice(-2).find((one) => one.system && !one.prompt);
  if (note) byId("messages").querySelector(`[data-key^="${note.ts}/"]`).scrollIntoView();
  else toEnd();
}
scroller.addEventListener("scroll", () => (resting = isAtEnd()), { passive: true });
scroller.addEventListener("load", () => resting && toEnd(), { capture: true });

function drawer(shown) {
  document.body.classList.toggle("drawer", shown);
  byId("veil").hidden = !shown;
  byId("menu").setAttribute("aria-expanded", String(shown));
}

// Life

let stream = null;
let pause = 0;

/** Many changes at once need one look. */
function soon() {
  clearTimeout(pause);
  pause = setTimeout(() => refresh().catch(() => {}), 40);
}

function listen() {
  stream?.close();
  stream = new EventSource(`/page/events?as=${encodeURIComponent(view.me)}`);
  stream.addEventListener("changed", soon);
  stream.addEventListener("ready", () => {
    view.controls.beat = -1; // a server that was started anew counts anew
    soon();
  });
  stream.addEventListener("controls", (event) => {
    if (!view.data || !takeControls(JSON.parse(event.data))) return;
    draw();
  });
  stream.onerror = () => {
    lost = true;
    say("Connection lost. Trying again…", true);
  };
  stream.onopen = () => {
    if (lost) say("");
    lost = false;
  };
}

let lost = false;

function suggest(text) {
  const { app, workspace } = view.data;
  const commands = app.commands
    .filter((one) => one.command.startsWith(text) || text.startsWith(`${one.command} `))
    .map((one) => ({ command: one.command, usage: one.usage_hint, about: one.description }));
  const hints = workspace.hints
    .filter((hint) => hint.command.startsWith(text) && hint.command !== text)
    .map((hint) => ({ command: hint.command, usage: "", about: hint.label }));
  const offered = new Set();
  const isNew = ({ command, usage }) => !offered.has(command + usage) && offered.add(command + usage);
  return [...commands, ...hints].filter(isNew).slice(0, 8);
}

const composer = startComposer({ suggest, send });
const modal = startModal({ send: inModal, search: inMenu });
const thread = startThread({ send: reply, close: closeThread });
const home = startHome({ send: onHome });
byId("tab-home").addEventListener("click", () => openTab("home"));
byId("tab-messages").addEventListener("click", () => openTab("messages"));
byId("people").addEventListener("change", (event) => become(event.target.value));
byId("menu").addEventListener("click", () => drawer(!document.body.classList.contains("drawer")));
byId("veil").addEventListener("click", () => drawer(false));
document.addEventListener("keydown", (event) => event.key === "Escape" && drawer(false));

const address = new URLSearchParams(location.search);
view.me = address.get("as") ?? "";
view.place = address.get("in") ?? "";
view.tab = address.get("tab") ?? "";
view.thread = address.get("thread") ?? "";
try {
  await refresh();
} catch {
  view.me = "";
  await refresh();
}
listen();
if (atHome()) visit("home");
setInterval(tick, 1000);
toNews();
document.body.classList.add("ready");

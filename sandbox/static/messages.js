/** The list of messages: only what changed is drawn again, so that screen readers hear only what is new. */
import { avatar, h } from "./dom.js";
import { drawBlocks, fileAddress, picture } from "./blocks.js";
import { clock, dayNumber, fullDate, pretty } from "./dates.js";
import { mrkdwn } from "./mrkdwn.js";
import { now } from "./time.js";

const TOGETHER = 5 * 60;

const seconds = (message) => Number(message.ts);
const moment = (message) => new Date(seconds(message) * 1000);

function body(message, context) {
  const pressing = { ...context, ts: message.ts, press: (block, action, value) => context.press(message, block, action, value) };
  const files = message.files.map((file) => attached(file, context));
  if (message.blocks.length) return [...drawBlocks(message.blocks, pressing), ...files];
  const words = message.text || !files.length ? [h("div", { class: "block text" }, mrkdwn(message.text, context))] : [];
  return [...words, ...files];
}

function attached(file, context) {
  if (!file.kind) return h("div", { class: "block" }, h("a", { href: fileAddress(file.id, context), download: file.name }, file.title));
  const image = picture({ file: file.id, alt_text: file.alt_text || file.title }, "wide", context);
  return h("figure", { class: "block image" }, h("figcaption", {}, file.title), image);
}

function heading(message, author, context) {
  return h(
    "div",
    { class: "message-head" },
    h("strong", { class: "author" }, author.real_name),
    author.is_bot ? h("span", { class: "badge" }, "App") : null,
    h("time", { datetime: moment(message).toISOString(), title: fullDate(moment(message), context.zone) }, clock(moment(message), context.zone)),
    message.edited && !message.ephemeral_to ? h("span", { class: "edited" }, "edited") : null,
    message.ephemeral_to ? h("span", { class: "private" }, "Only visible to you") : null,
  );
}

function draw(message, follows, context) {
  const author = context.member(message.author) ?? { real_name: "Workspace", initials: "W", colour: "#6b7680" };
  const classes = ["message", follows ? "follows" : "", message.ephemeral_to ? "ephemeral" : "", message.system ? "system" : ""];
  return h(
    "li",
    { class: classes.join(" "), "data-key": keyOf(message, follows, context) },
    avatar(author),
    h(
      "div",
      { class: "message-body" },
      message.prompt ? h("div", { class: "prompt" }, h("span", {}, "You ran "), h("code", {}, message.prompt)) : null,
      follows ? null : heading(message, author, context),
      message.broadcast && !context.inThread ? h("button", { type: "button", class: "origin", onclick: () => context.openThread(message.thread_ts) }, "Replied in a thread") : null,
      body(message, context),
      thread(message, context),
      canReply(message, context) ? h("button", { type: "button", class: "reply-here", onclick: () => context.openThread(message.ts) }, "Reply in thread") : null,
    ),
  );
}

const canReply = (message, context) => !context.inThread && !message.thread_ts && !message.ephemeral_to && !message.system;

/** What is under a message that has replies. */
function thread(message, context) {
  const replies = context.inThread || message.thread_ts ? [] : context.replies(message.ts);
  if (!replies.length) return null;
  const counted = replies.filter((reply) => !reply.ephemeral_to);
  const words = !counted.length ? "A note for you" : counted.length === 1 ? "1 reply" : `${counted.length} replies`;
  const authors = [...new Set(counted.map((reply) => reply.author))].slice(0, 4).map(context.member).filter(Boolean);
  const last = moment(replies.at(-1));
  const when = pretty(last, context.zone, fullDate(last, context.zone));
  return h(
    "button",
    { type: "button", class: "replies", onclick: () => context.openThread(message.ts) },
    h("span", { class: "faces" }, authors.map((author) => avatar(author, "small"))),
    h("strong", {}, words),
    h("span", { class: "last" }, `Last ${when} at ${clock(last, context.zone)}`),
  );
}

/** Words such as "yesterday" are true for a day, and "in 5 minutes" for one: then what says them is drawn again. */
export function freshness({ text = "", blocks }, context) {
  const said = text + JSON.stringify(blocks);
  if (said.includes("{ago}")) return Math.floor(now() / 60_000);
  return /_pretty\}/.test(said) ? dayNumber(now(), context.zone) : "";
}

function keyOf(message, follows, context) {
  const replies = context.inThread ? [] : context.replies(message.ts);
  const talk = replies.length ? `${replies.length}-${replies.at(-1).ts}-${dayNumber(now(), context.zone)}` : "";
  return [message.ts, message.edited, message.system, follows ? "f" : "", freshness(message, context), talk].join("/");
}

function divider(message, context) {
  const when = moment(message);
  const words = pretty(when, context.zone, fullDate(when, context.zone));
  return h("li", { class: "day", "data-key": `day/${words}` }, h("span", {}, words));
}

function sameSpeaker(message, before) {
  if (!before || before.author !== message.author || message.prompt || message.ephemeral_to || before.ephemeral_to) return false;
  return seconds(message) - seconds(before) < TOGETHER;
}

/** Keys in order, each with how to draw it. */
function wanted(messages, context) {
  const rows = [];
  let day = "";
  messages.forEach((message, index) => {
    const today = fullDate(moment(message), context.zone);
    const follows = today === day && !(context.inThread && index === 1) && sameSpeaker(message, messages[index - 1]);
    if (today !== day) rows.push(() => divider(message, context));
    rows.push({ key: keyOf(message, follows, context), draw: () => draw(message, follows, context) });
    day = today;
  });
  return rows.map((row) => {
    if (row.draw) return row;
    const node = row();
    return { key: node.dataset.key, draw: () => node };
  });
}

export function showMessages(list, messages, context) {
  const rows = wanted(messages, context);
  const old = new Map([...list.children].map((node) => [node.dataset.key, node]));
  let place = list.firstElementChild;
  for (const { key, draw: make } of rows) {
    const node = old.get(key) ?? make();
    old.delete(key);
    if (node === place) place = place.nextElementSibling;
    else list.insertBefore(node, place);
  }
  old.forEach((node) => node.remove());
}

/** Dates in the time zone of whoever reads. */
import { now } from "./time.js";

export const shown = (when, zone, options) => new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone }).format(when);

export const dayNumber = (when, zone) => {
  const parts = shown(when, zone, { year: "numeric", month: "2-digit", day: "2-digit" }).split("/");
  return Date.UTC(Number(parts[2]), Number(parts[1]) - 1, Number(parts[0])) / 86_400_000;
};

export const clock = (when, zone) => shown(when, zone, { hour: "2-digit", minute: "2-digit" });

export const fullDate = (when, zone) =>
  shown(when, zone, { weekday: "long", day: "numeric", month: "long", year: "numeric" });

/** "today", "yesterday" and "tomorrow" where they fit, or else the date. */
export function pretty(when, zone, otherwise) {
  const days = dayNumber(when, zone) - dayNumber(now(), zone);
  return { 0: "today", 1: "tomorrow", "-1": "yesterday" }[days] ?? otherwise;
}

function ago(when) {
  const seconds = (when - now()) / 1000;
  const units = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];
  const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.round(seconds / size), unit);
}

const LONG = { weekday: "long", day: "numeric", month: "long", year: "numeric" };
const MIDDLE = { day: "numeric", month: "long", year: "numeric" };
const SHORT = { day: "numeric", month: "short", year: "numeric" };

const TOKENS = {
  date_num: (when, zone) => new Intl.DateTimeFormat("sv-SE", { timeZone: zone }).format(when),
  date_slash: (when, zone) => shown(when, zone, { day: "2-digit", month: "2-digit", year: "numeric" }),
  date: (when, zone) => shown(when, zone, MIDDLE),
  date_short: (when, zone) => shown(when, zone, SHORT),
  date_long: (when, zone) => shown(when, zone, LONG),
  date_pretty: (when, zone) => pretty(when, zone, shown(when, zone, MIDDLE)),
  date_short_pretty: (when, zone) => pretty(when, zone, shown(when, zone, SHORT)),
  date_long_pretty: (when, zone) => pretty(when, zone, shown(when, zone, LONG)),
  time: clock,
  time_secs: (when, zone) => shown(when, zone, { hour: "2-digit", minute: "2-digit", second: "2-digit" }),
  ago,
};

/** What `<!date^seconds^pattern|fallback>` says to this reader. */
export function formatDate(seconds, pattern, fallback, zone) {
  const when = new Date(Number(seconds) * 1000);
  if (!/^\d+$/.test(String(seconds)) || Number.isNaN(when.getTime())) return fallback;
  const words = pattern.replace(/\{(\w+)\}/g, (token, name) => TOKENS[name]?.(when, zone) ?? token);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

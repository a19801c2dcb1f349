const SIGNS = {
  "+1": "👍", "-1": "👎", airplane: "✈️", alarm_clock: "⏰", arrow_down: "⬇️", arrow_right: "➡️", arrow_up: "⬆️",
  ballot_box_with_check: "☑️", balloon: "🎈", bar_chart: "📊", bell: "🔔", blue_heart: "💙", books: "📚", bug: "🐛",
  bulb: "💡", calendar: "📅", chart_with_downwards_trend: "📉", chart_with_upwards_trend: "📈", clap: "👏",
  clipboard: "📋", clock3: "🕒", coin: "🪙", construction: "🚧", dart: "🎯", envelope: "✉️", exclamation: "❗",
  eyes: "👀", fire: "🔥", gear: "⚙️", gem: "💎", grey_question: "❔", grinning: "😀", hammer_and_wrench: "🛠️",
  heart: "❤️", heavy_check_mark: "✔️", heavy_multiplication_x: "✖️", hourglass: "⌛", hourglass_flowing_sand: "⏳",
  inbox_tray: "📥", information_source: "ℹ️", key: "🔑", large_blue_circle: "🔵", large_green_circle: "🟢",
  large_orange_circle: "🟠", large_red_circle: "🔴", large_yellow_circle: "🟡", link: "🔗", lock: "🔒", mag: "🔍",
  mega: "📣", memo: "📝", moneybag: "💰", no_entry: "⛔", no_entry_sign: "🚫", page_facing_up: "📄", pencil: "📝",
  point_right: "👉", pray: "🙏", pushpin: "📌", question: "❓", raised_hands: "🙌", receipt: "🧾",
  robot_face: "🤖", rocket: "🚀", rotating_light: "🚨", scales: "⚖️", seedling: "🌱", shield: "🛡️", smile: "😄",
  snowflake: "❄️", sparkles: "✨", star: "⭐", stopwatch: "⏱️", tada: "🎉", thinking_face: "🤔", thumbsdown: "👎",
  thumbsup: "👍", trophy: "🏆", unlock: "🔓", warning: "⚠️", wave: "👋", white_check_mark: "✅",
  white_circle: "⚪", x: "❌", zap: "⚡",
};

/** The sign of a short code, or the code as it was typed. */
export const emoji = (name) => SIGNS[name] ?? `:${name}:`;

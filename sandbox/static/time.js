/** The workspace's own time, which need not be that of this machine: what the server said last, and what has passed since. */
let said = Date.now();
let heard = performance.now();

export function setNow(when) {
  said = new Date(when).getTime();
  heard = performance.now();
}

export const now = () => new Date(said + performance.now() - heard);

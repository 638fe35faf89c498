/** Numbers, times and names as people read them; and how fast a job goes. */

const integer = new Intl.NumberFormat('en');
const oneDecimal = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const timeOfDay = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const exactTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
/** Between a number and its unit: no line ends there. */
const NB = '\u00a0';

/** @param {number} value */
export const count = (value) => integer.format(value);

/** @param {number} value @param {string} one @param {string} [many] */
export const plural = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

/** A part of a whole, never rounded up to all of it; finer where the whole is large. @param {number} part 0 to 1 @param {number} total */
export function percent(part, total) {
  return `${total < 1000 ? Math.floor(part * 100) : (Math.floor(part * 1000) / 10).toFixed(part < 1 ? 1 : 0)}${NB}%`;
}

/** @param {number | null | undefined} seconds */
export function duration(seconds) {
  if (seconds == null || !Number.isFinite(seconds) || seconds < 0) return '–';
  const whole = seconds > 0 && seconds < 1 ? 1 : Math.round(seconds);
  const h = Math.floor(whole / 3600);
  const m = Math.floor(whole / 60) % 60;
  const s = String(whole % 60).padStart(2, '0');
  return h > 0 ? `${count(h)}:${String(m).padStart(2, '0')}:${s}` : `${m}:${s}`;
}

/** @param {number} ms */
export function elapsed(ms) {
  if (!Number.isFinite(ms) || ms < 0) return '–';
  if (ms < 1000) return `${Math.round(ms)}${NB}ms`;
  if (ms < 10000) return `${oneDecimal.format(ms / 1000)}${NB}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds}${NB}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}${NB}min ${seconds % 60}${NB}s`;
  return `${count(Math.floor(seconds / 3600))}${NB}h ${Math.floor(seconds / 60) % 60}${NB}min`;
}

/** @param {number | null | undefined} bytes */
export function size(bytes) {
  if (bytes == null || !Number.isFinite(bytes) || bytes < 0) return '–';
  if (bytes < 1000) return `${bytes}${NB}B`;
  const units = ['kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${oneDecimal.format(value)}${NB}${units[unit]}`;
}

/** @param {number} perSecond */
export const rate = (perSecond) =>
  `${perSecond < 10 ? oneDecimal.format(perSecond) : count(Math.round(perSecond))}${NB}files/s`;

/** The picture as it is shown: a quarter turn swaps the sides. @param {{ width: number | null, height: number | null, rotation: number | null }} video */
export function resolution({ width, height, rotation }) {
  if (!width || !height) return '–';
  return (rotation ?? 0) % 180 === 0 ? `${width}×${height}` : `${height}×${width}`;
}

/** FFmpeg's list of names for one demuxer, shortened to the one people use. @param {string | null} all @param {string} filename */
export function container(all, filename) {
  if (!all) return '–';
  const names = all.split(',');
  const extension = /\.([A-Za-z0-9]+)$/.exec(filename)?.[1].toLowerCase() ?? '';
  if (names.includes(extension)) return extension;
  return names[0] === 'matroska' ? (extension === 'webm' ? 'webm' : 'mkv') : names[0];
}

/** @param {string | null | undefined} time RFC 3339 */
export function moment(time) {
  const date = new Date(time ?? NaN);
  if (Number.isNaN(date.valueOf())) return '–';
  return date.toDateString() === new Date().toDateString() ? timeOfDay.format(date) : dayAndTime.format(date);
}

/** @param {string} time RFC 3339 */
export function dateTime(time) {
  const date = new Date(time);
  return Number.isNaN(date.valueOf()) ? time : exactTime.format(date);
}

/** @param {string} text */
export const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');

/* Characters that are not seen or that turn the text around them: C0 and C1 controls, the
 * bidirectional controls, zero-width and other invisible format characters. */
const INVISIBLE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** @param {string} character */
function visible(character) {
  const code = /** @type {number} */ (character.codePointAt(0));
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return '\u2421';
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** The text with every unseen or reordering character written out. @param {string} text */
export const plainName = (text) => text.replace(INVISIBLE, visible);

/** One name as a node: isolated from the direction of the text around it, with unseen characters shown as marks. @param {string} text */
export function nameNode(text) {
  const node = document.createElement('bdi');
  let last = 0;
  for (const match of text.matchAll(INVISIBLE)) {
    if (match.index > last) node.append(text.slice(last, match.index));
    const mark = document.createElement('span');
    mark.className = 'unseen';
    mark.textContent = visible(match[0]);
    node.append(mark);
    last = match.index + match[0].length;
  }
  if (last < text.length) node.append(text.slice(last));
  return node;
}

/** A path as a node: left to right as a whole, each part isolated. @param {string} path */
export function pathNode(path) {
  const node = document.createElement('span');
  node.dir = 'ltr';
  node.className = 'path';
  const parts = path.split('/');
  parts.forEach((part, at) => {
    if (at > 0) node.append('/', document.createElement('wbr'));
    if (part) node.append(nameNode(part));
  });
  return node;
}

/** @param {string} path */
export const baseName = (path) => path.slice(path.lastIndexOf('/') + 1) || path;

/** @param {string} path */
export const dirName = (path) => path.slice(0, Math.max(path.lastIndexOf('/'), 0)) || '/';

/** Why something did not work, in words. @param {unknown} error */
export function wordsOf(error) {
  // What browsers call a request that had no answer; any other TypeError is a mistake of the page, and told as it is.
  if (error instanceof TypeError && /fetch|network|^load failed/i.test(error.message)) return 'The server does not answer.';
  return plainName(error instanceof Error ? error.message : String(error));
}

/** As JSON in lines, with what cannot be seen or turns the text written out. @param {unknown} value */
export const jsonLines = (value) => JSON.stringify(value, null, 2).split('\n').map(plainName).join('\n');

/** A percent-encoded part as text; what is no UTF-8, or broken, stays as it came. @param {string} part */
export function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The last parts of a folder, which tell more than the first. @param {string} path @param {number} parts */
export function tail(path, parts) {
  const all = path.split('/');
  return all.length - 1 <= parts ? path : `…/${all.slice(-parts).join('/')}`;
}

/* Points of the graph; when there are more, each two become one and stand for twice the time. */
const POINTS_MAX = 120;
const FIRST_STEP_MS = 250;
/* What "now" is. */
const WINDOW_MS = 5000;
/* Nothing is said of a rate that is known for less. */
const KNOWN_MS = 700;
const LEFT_KNOWN_MS = 2000;

export class Pace {
  /** Files a second, step by step since the job was first seen. @type {number[]} */
  points = [];
  #step = FIRST_STEP_MS;
  #from = NaN;
  #base = 0;
  /** @type {[number, number][]} */
  #recent = [];

  /** @param {number} now ms @param {number} done */
  add(now, done) {
    const last = this.#recent.at(-1);
    if (!last || done < last[1]) return this.rest(now, done);
    this.#fill(now, done);
    if (now - last[0] < 100) last[1] = done;
    else this.#recent.push([now, done]);
    while (this.#recent.length > 2 && now - this.#recent[0][0] > WINDOW_MS) this.#recent.shift();
  }

  /** It begins, or goes on after a rest: what it did until now tells nothing. @param {number} now @param {number} done */
  rest(now, done) {
    this.#recent = [[now, done]];
    this.#from = now;
    this.#base = done;
  }

  /** Steps that are over become points. @param {number} now @param {number} done */
  #fill(now, done) {
    const steps = Math.min(Math.floor((now - this.#from) / this.#step), POINTS_MAX);
    if (steps < 1) return;
    const speed = ((done - this.#base) * 1000) / (now - this.#from);
    for (let i = 0; i < steps; i++) this.points.push(speed);
    this.#from = now;
    this.#base = done;
    while (this.points.length > POINTS_MAX) {
      const halves = [];
      for (let i = 0; i + 1 < this.points.length; i += 2) halves.push((this.points[i] + this.points[i + 1]) / 2);
      this.points = halves;
      this.#step *= 2;
    }
  }

  /** @param {number} now */
  rate(now) {
    const first = this.#recent.find(([time]) => now - time <= WINDOW_MS + 1000);
    const last = this.#recent.at(-1);
    if (!last) return null;
    if (!first) return 0;
    return now - first[0] < KNOWN_MS ? null : ((last[1] - first[1]) * 1000) / (now - first[0]);
  }

  /** @param {number} now @param {number} more */
  left(now, more) {
    const speed = this.rate(now);
    if (!speed || now - this.#recent[0][0] < LEFT_KNOWN_MS) return null;
    return more / speed;
  }
}

/** A time left, no finer than it is known. @param {number} seconds */
export function timeLeft(seconds) {
  if (seconds < 8) return 'a few seconds left';
  if (seconds < 55) return `about ${Math.ceil(seconds / 10) * 10} s left`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `about ${Math.max(minutes, 1)} min left`;
  if (minutes < 48 * 60) return `about ${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
  return `about ${Math.round(minutes / 1440)} days left`;
}

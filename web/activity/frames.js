/** The last frames of the channel, bounded in number and in size, and which of them one wants to see. */

export const FRAMES_MAX = 2000;
/* Two bytes a character at worst. */
const CHARACTERS_MAX = 4 * 1024 * 1024;

export class FrameBuffer {
  count = 0;
  /** @type {(Entry | undefined)[]} */
  #ring = new Array(FRAMES_MAX);
  #first = 1;
  #characters = 0;

  get size() {
    return this.count + 1 - this.#first;
  }

  /** Number of the oldest that is kept; one more than the newest: none is. */
  get first() {
    return this.#first;
  }

  /** @param {Omit<Entry, 'number'>} entry @returns {Entry} */
  add(entry) {
    if (this.size === FRAMES_MAX) this.#forget();
    const kept = { ...entry, number: ++this.count };
    this.#ring[this.count % FRAMES_MAX] = kept;
    this.#characters += entry.raw.length;
    while (this.#characters > CHARACTERS_MAX && this.size > 1) this.#forget();
    return kept;
  }

  #forget() {
    this.#characters -= this.get(this.#first)?.raw.length ?? 0;
    this.#ring[this.#first % FRAMES_MAX] = undefined;
    this.#first++;
  }

  /** @param {number} number @returns {Entry | undefined} */
  get(number) {
    const entry = this.#ring[number % FRAMES_MAX];
    return entry?.number === number ? entry : undefined;
  }

  clear() {
    this.#ring = new Array(FRAMES_MAX);
    this.#first = this.count + 1;
    this.#characters = 0;
  }
}

// Which frames of the channel one wants to see; and the same as a line for wscat.

/** @param {Filter} filter @returns {(entry: Entry) => boolean} */
export function matcher({ type, topic, job, text }) {
  const wanted = text.toLowerCase();
  return (entry) => (!type || entry.type === type) && (!topic || entry.topic === topic) && (!job || entry.job === job)
    && (!wanted || entry.raw.toLowerCase().includes(wanted));
}

/**
 * A command by which wscat hears the same, as far as the channel can be asked for it.
 * @param {Filter} filter @param {string | null} since a durable frame: from behind it
 */
export function wscatLine({ topic, job }, since) {
  const url = new URL('/ws', location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  url.search = url.hash = '';
  if (topic === 'jobs' || topic === 'library') url.searchParams.set('topics', topic);
  else if (job) url.searchParams.set('topics', 'jobs');
  if (job) url.searchParams.set('job_id', job);
  if (since !== null) url.searchParams.set('since', since);
  return `wscat -c '${url.href.replaceAll("'", '%27')}'`;
}

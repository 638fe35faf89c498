// What the daemon said in one of its lives, in its order: put together from what all its clients heard.
import { asyncapi } from '../documents.js';

const ENDS = /_(COMPLETED|CANCELLED|FAILED|TIMEOUT)$/;

/** A message of the channel with what the checks ask of it again and again. */
export function understand(message) {
  const frame = JSON.parse(message);
  const text = JSON.stringify(frame); // the same for the same message, by whichever transport
  const topic = asyncapi.components.messages[frame.type]?.['x-topic'] ?? 'unknown';
  const live = topic !== 'meta';
  return {
    text, frame, topic, type: frame.type, time: Date.parse(frame.timestamp), received: Date.now(),
    job: topic === 'jobs' ? frame.payload.job_id : null,
    sequence: live && frame.event_id ? Number(frame.event_id.split(':')[1]) : 0,
    progress: frame.type.endsWith('_PROGRESS'),
    terminal: topic === 'jobs' && ENDS.test(frame.type),
  };
}

/** Whether a subscription asks for a message. */
export function wants({ topics, job_id: job }, entry) {
  return topics.includes(entry.topic) && (!job || entry.topic !== 'jobs' || entry.job === job);
}

/** Whether `one`, which only some clients heard, was said before `other`. */
function before(one, other) {
  if (one.sequence && other.sequence) return one.sequence < other.sequence;
  if (one.job && one.job === other.job && one.progress && other.progress)
    return one.frame.payload.processed < other.frame.payload.processed;
  return one.time < other.time;
}

export class Truth {
  constructor() {
    this.entries = [];
    this.places = new Map(); // text → its indices
  }

  /** Takes in what one client heard in order; only the first one's may be taken as it is. */
  merge(heard) {
    const merged = [];
    let at = 0;
    for (const entry of heard) {
      const place = this.find(entry.text, at - 1);
      if (place >= 0) {
        while (at <= place) merged.push(this.entries[at++]);
      } else {
        while (at < this.entries.length && before(this.entries[at], entry)) merged.push(this.entries[at++]);
        merged.push(entry);
      }
    }
    while (at < this.entries.length) merged.push(this.entries[at++]);
    if (merged.length !== this.entries.length) this.reset(merged);
  }

  reset(entries) {
    this.entries = entries;
    this.places.clear();
    entries.forEach(({ text }, i) => {
      if (this.places.has(text)) this.places.get(text).push(i);
      else this.places.set(text, [i]);
    });
  }

  /** Once all is merged: what the checks look up. */
  finish() {
    this.newest = new Map(); // job → index of the last message that says how far it is
    this.bytes = [0]; // of the messages before an index
    this.entries.forEach((entry, i) => {
      if (entry.job && (entry.progress || entry.terminal)) this.newest.set(entry.job, i);
      this.bytes.push(this.bytes[i] + Buffer.byteLength(entry.text));
    });
    this.first = this.entries.find(({ sequence }) => sequence)?.sequence ?? Infinity;
  }

  /** The first place of a text behind `last`; -1: none. */
  find(text, last = -1) {
    return this.places.get(text)?.find((i) => i > last) ?? -1;
  }

  /** Whether a later message says more: what a client that lags may miss. */
  superseded(i) {
    const { progress, job } = this.entries[i];
    return progress && i < (this.newest.get(job) ?? -1);
  }

  /** Bytes said after event `sequence` until a time: how far back a ring must reach. */
  bytesBetween(sequence, time) {
    const from = this.entries.findIndex((entry) => entry.sequence > sequence);
    if (from < 0) return 0;
    let to = this.entries.length;
    while (to > from && this.entries[to - 1].time > time) to--;
    return this.bytes[to] - this.bytes[from];
  }
}

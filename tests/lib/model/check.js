// What one client heard, held against what was said: nothing that it did not ask for, nothing twice, nothing out of order,
// nothing missing but what its subscription, its lagging, or the place it came in at explains.
import assert from 'node:assert/strict';
import { wants } from './truth.js';

const sequenceOf = (since) => (since ? Number(since.split(':')[1]) : null);

/** The parts of a connection between two subscriptions. */
function segments(connection) {
  const { log, asked, openedWith } = connection;
  const list = [];
  let answered = 0;
  log.forEach((entry, i) => {
    const { frame, time } = entry;
    if (frame.type === 'HELLO') {
      assert.equal(i, 0, 'HELLO is first, and there is one');
      if (!openedWith)
        list.push({
          wanted: { topics: ['jobs', 'library'] }, askedAt: connection.cameAt, stamp: time, floor: sequenceOf(frame.payload.event_id),
          entries: [],
        });
    } else if (frame.type === 'SUBSCRIBED') {
      if (answered === 0 && !connection.polls) assert.ok(!openedWith || i === 1, 'SUBSCRIBED comes right after HELLO');
      const ask = asked[answered++];
      assert.ok(ask, 'a SUBSCRIBED that nobody asked for');
      assert.deepEqual(frame.payload.topics, ask.wanted.topics);
      list.push({
        ...ask, stamp: time, recovered: frame.payload.recovered, entries: [], continues: !ask.since && list.length > 0,
        floor: null, fromSequence: sequenceOf(ask.since),
      });
    } else if (entry.topic !== 'meta') {
      assert.ok(list.length > 0, 'an event before the subscription');
      list.at(-1).entries.push(entry);
    } else {
      assert.notEqual(frame.type, 'ERROR', JSON.stringify(frame));
    }
  });
  assert.ok(connection.polls || log.length === 0 || log[0].type === 'HELLO', `HELLO is first, not ${log[0]?.type}`);
  return list;
}

/** Places of what was heard; in order, each once, and asked for. `old`: the subscription that this one goes on from. */
function locate(segment, truth, old, lenient) {
  const { wanted, entries } = segment;
  const lasts = new Map();
  const ended = new Set();
  segment.places = new Set();
  segment.last = -1;
  for (const entry of entries) {
    assert.ok(wants(wanted, entry), `was not asked for: ${entry.text}`);
    // What had to wait for its time may come after younger messages of others, not after younger ones of its job.
    const line = wanted.progress_ms && entry.progress ? entry.job : 'all';
    const place = truth.find(entry.text, lasts.get(line) ?? -1);
    if (place < 0) {
      assert.ok(!(truth.places.has(entry.text)), `twice, or out of order: ${entry.text}`);
      // Those who tell the whole story may have lagged themselves.
      if (lenient && entry.progress) continue;
      assert.ok(entry.sequence && entry.sequence < truth.first, `nobody else heard: ${entry.text}`);
      continue; // from before the first listener came
    }
    // What had to wait under the old one comes now.
    const waited = old?.wanted.progress_ms && entry.progress && segment.first === undefined;
    if (waited && (place < old.last || entry.time <= segment.stamp)) continue;
    lasts.set(line, place);
    assert.ok(!entry.progress || !ended.has(entry.job), `progress after the end of its job: ${entry.text}`);
    if (entry.terminal) ended.add(entry.job);
    segment.places.add(place);
    segment.first ??= place;
    segment.last = Math.max(segment.last, place);
    if (entry.progress) segment.firstProgress ??= place;
  }
}

/** What others had heard when it was asked for does not come, but for the durable events of a replay. */
function nothingOld({ since, recovered, continues, askedAt, places }, truth) {
  if (continues) return;
  for (const place of places) {
    const entry = truth.entries[place];
    assert.ok(entry.received >= askedAt || (since && recovered && entry.sequence), `from before the subscription: ${entry.text}`);
  }
}

/** Whether the segment begins before message i: from there on it must have everything. */
function begun(segment, entry, i) {
  const { since, fromSequence, recovered, floor, stamp, first, firstProgress } = segment;
  const replays = Boolean(since) && recovered;
  if (entry.sequence && replays) return entry.sequence > fromSequence;
  if (entry.sequence && floor !== null) return entry.sequence > floor;
  // Said before the subscription: in the replay, or not at all.
  return entry.time > stamp || i > ((replays ? firstProgress : first) ?? Infinity);
}

function mayBeMissing(segment, truth, i, lenient) {
  const entry = truth.entries[i];
  return !wants(segment.wanted, entry) || (entry.progress && Boolean(segment.wanted.progress_ms))
    || (lenient && truth.superseded(i));
}

function complete(segment, truth, lenient) {
  for (let i = 0; i <= segment.last; i++) {
    if (segment.places.has(i) || mayBeMissing(segment, truth, i, lenient)) continue;
    const entry = truth.entries[i];
    assert.ok(!begun(segment, entry, i), `missing, though message ${segment.last} was heard: ${i}: ${entry.text}`);
  }
}

/** Between the last message under one subscription and the first under the next there is a point where they change. */
function joined(old, next, truth, lenient) {
  if (old.last < 0 || next.first === undefined || old.wanted.progress_ms || next.wanted.progress_ms) return;
  let from = old.last + 1;
  // What others heard before the old subscription was never due to it, but for the durable events of its replay.
  while (from < next.first && (mayBeMissing(old, truth, from, lenient) || !begun(old, truth.entries[from], from))) from++;
  let to = next.first;
  while (to > old.last + 1 && mayBeMissing(next, truth, to - 1, lenient)) to--;
  assert.ok(to <= from, `lost where the subscription changed: ${truth.entries[from].text}`);
}

/** With progress_ms: no more messages of a job than the time between the first's making and the last's coming has room for. */
function paced(segment) {
  const { progress_ms: ms } = segment.wanted;
  if (!ms) return;
  const jobs = new Map();
  for (const { progress, job, time, received } of segment.entries) {
    if (!progress) continue;
    const seen = jobs.get(job) ?? { count: 0, from: time };
    jobs.set(job, seen);
    seen.count++;
    assert.ok(seen.count <= (received - seen.from + 2) / ms + 1, `${seen.count} of ${job} in ${received - seen.from} ms, one in ${ms} asked`);
  }
}

/** Whether the ring reaches back to what was asked for, as far as that can be said from outside: true, false or undefined. */
function mustRecover(segment, life, truth) {
  const [catalogue] = segment.since.split(':');
  const { fromSequence, stamp } = segment;
  if (catalogue !== life.catalogue || fromSequence >= 1e9) return false;
  if (fromSequence < life.before) return false;
  if (fromSequence === life.before) {
    if (life.reached === false) return false;
  } else if (fromSequence < life.start) {
    return undefined;
  }
  const bytes = truth.bytesBetween(fromSequence, stamp);
  if (bytes > life.ringBytes * 1.1) return false;
  return bytes < life.ringBytes * 0.4 ? true : undefined;
}

/** @param {{catalogue: string, before: number, reached: boolean | undefined, start: number, ringBytes: number, lenient: boolean}} life */
export function checkConnection(connection, life, truth) {
  const lenient = connection.everStalled || life.lenient;
  const list = segments(connection);
  list.forEach((segment, i) => {
    try {
      if (segment.since) {
        const must = mustRecover(segment, life, truth);
        if (must !== undefined) assert.equal(segment.recovered, must, 'recovered');
      }
      locate(segment, truth, segment.continues ? list[i - 1] : undefined, life.lenient);
      if (segment.continues) {
        joined(list[i - 1], segment, truth, lenient);
        if (segment.first !== undefined && list[i - 1].last >= 0 && !segment.wanted.progress_ms && !list[i - 1].wanted.progress_ms)
          assert.ok(segment.first > list[i - 1].last, 'nothing again without since');
      }
      if (!connection.polls) nothingOld(segment, truth); // a `next` in a replay is a point like any other: all that follows comes
      complete(segment, truth, lenient);
      // A message that waits is sent before the ring would drop it.
      if (!life.lenient) paced(segment);
    } catch (error) {
      const { entries, places, ...said } = segment;
      error.message = `${connection.name}, subscription ${i} ${JSON.stringify(said)}: ${error.message}`;
      throw error;
    }
  });
}

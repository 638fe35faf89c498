// GET /changes against all events that were heard and against the catalogue.
import assert from 'node:assert/strict';

/** Everything that changed after `since`; page by page, of random lengths. */
export async function changesSince(daemon, since, next) {
  const all = [];
  for (let from = since; ;) {
    const query = new URLSearchParams({ limit: String(1 + Math.floor(next() * 200)), ...(from ? { since: from } : {}) });
    const { status, body } = await daemon.get(`/api/v1/changes?${query}`);
    if (status === 503) continue;
    assert.equal(status, 200, JSON.stringify(body));
    all.push(...body.changes);
    if (!body.more) return { changes: all, next: body.next };
    from = body.next;
  }
}

const sequenceOf = (id) => Number(id.split(':')[1]);

/** At rest: all changes from the beginning, and the catalogue. */
export async function readCatalogue(daemon, next) {
  const { changes } = await changesSince(daemon, null, next);
  return { changes, videos: await daemon.videos() };
}

/** The changes are the catalogue, and the last event of each video that was heard. */
export function checkCatalogue(world, { changes, videos }) {
  let last = 0;
  const present = new Map();
  for (const { event_id: event, id, removed, video } of changes) {
    const sequence = sequenceOf(event);
    assert.ok(sequence > last, `${event} after ${last}`);
    last = sequence;
    const text = world.texts.get(sequence);
    if (text) {
      const frame = JSON.parse(text);
      assert.ok(frame.type.startsWith('VIDEO_') && frame.payload.id === id, `the change ${event} of ${id} was said as ${text}`);
      assert.equal(frame.type === 'VIDEO_REMOVED', removed);
    } else {
      assert.ok(!world.wasHeard(sequence), `the change ${event} of ${id} was never said`);
    }
    const heard = world.videos.get(id);
    if (heard) {
      assert.ok(heard.sequence <= sequence, `${id} changed at ${heard.sequence}; /changes stops at ${event}`);
      if (heard.sequence < sequence) assert.ok(!world.wasHeard(sequence), `${event} of ${id} was never said`);
    }
    present.set(id, removed ? null : video);
  }
  for (const [id, { sequence }] of world.videos) assert.ok(present.has(id), `${id} of event ${sequence} is not in /changes`);
  for (const id of world.gone) assert.equal(present.get(id), null, `an event named ${id}, REST did not find it, and it was never removed`);
  const known = [...present.values()].filter((video) => video && video.missing_since === null);
  const listed = new Map(videos.map((video) => [video.id, video]));
  assert.deepEqual(known.map(({ id }) => id).sort(), [...listed.keys()].sort(), 'the changes are the catalogue');
  for (const video of known) assert.deepEqual(video, listed.get(video.id), 'the changes are the catalogue');
}

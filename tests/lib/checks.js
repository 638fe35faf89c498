// Checks that hold for every scan, whatever was scanned.
import assert from 'node:assert/strict';

/** Guarantee 3: every file counted once. */
export function checkResult(job) {
  const r = job.result;
  assert.ok(r, `no result: ${JSON.stringify(job)}`);
  assert.equal(r.scanned, r.new + r.updated + r.moved + r.skipped + r.error_count, JSON.stringify({ ...r, errors: undefined }));
  assert.ok(r.errors.length <= Math.min(1000, r.error_count));
  for (const error of r.errors) {
    assert.match(error.code, /^[A-Z_]+$/);
    assert.ok(error.error.length > 0 && error.path.length > 0);
  }
  return r;
}

/**
 * Guarantees 1 and 3 seen from a client: one terminal event for the job, progress that never falls, one frame for each file
 * handled, and counters that agree with the result. `frames` are those of one connection that was open all the time.
 */
export function checkFrames(frames, job) {
  const mine = frames.filter((frame) => frame.payload.job_id === job.job_id);
  const terminal = mine.filter((frame) => frame.payload.status && !['pending', 'running'].includes(frame.payload.status));
  assert.deepEqual(terminal.map((frame) => frame.type).length, 1, 'one terminal event');
  assert.deepEqual(terminal[0].payload, job, 'the event and REST tell the same');
  const progress = mine.filter((frame) => frame.type === 'SCAN_PROGRESS').map((frame) => frame.payload);
  let processed = 0;
  let share = 0;
  for (const p of progress) {
    assert.ok(p.processed >= processed, 'processed never falls');
    processed = p.processed;
    if (p.progress !== null) {
      assert.ok(p.progress >= share && p.progress <= 1, 'progress never falls');
      share = p.progress;
    }
  }
  const handled = progress.filter((p) => p.outcome !== null);
  const paths = handled.map((p) => p.path_uri ?? p.path);
  assert.equal(new Set(paths).size, paths.length, 'one frame for each file handled');
  const count = (outcome) => handled.filter((p) => p.outcome === outcome).length;
  assert.equal(count('new'), job.result.new);
  assert.equal(count('updated'), job.result.updated);
  return { progress, handled };
}

/** Durable events carry rising sequence numbers of one catalogue, none twice. */
export function checkSequence(frames) {
  let last = 0;
  let catalogue;
  for (const frame of frames) {
    if (frame.event_id === null || frame.type === 'HELLO') continue;
    const [id, number] = frame.event_id.split(':');
    catalogue ??= id;
    assert.equal(id, catalogue);
    assert.ok(Number(number) > last, `${frame.event_id} after ${last}`);
    last = Number(number);
  }
  return last;
}

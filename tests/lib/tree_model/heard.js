// What a client heard of one scan: for each video the last word is what became of it, and nothing else was said.
import assert from 'node:assert/strict';
import { checkFrames } from '../checks.js';
import { said, show } from './paths.js';

const words = { new: 'VIDEO_ADDED', updated: 'VIDEO_UPDATED', moved: 'VIDEO_MOVED' };

export async function checkHeard(channel, from, job, expectation) {
  await channel.find((frame) => frame.type === 'SCAN_COMPLETED' && frame.payload.job_id === job.job_id);
  const frames = channel.frames.slice(from);
  checkFrames(frames, job);
  const last = new Map();
  for (const frame of frames) if (frame.type.startsWith('VIDEO_')) last.set(frame.payload.id, frame);
  const { after, lines, vanished, displaced } = expectation;
  for (const [path, { outcome, from: was }] of lines) {
    const frame = last.get(after.at.get(path)?.id);
    if (!words[outcome]) continue;
    assert.equal(frame?.type, words[outcome], `${show(path)} is ${outcome}`);
    assert.equal(said(frame.payload), path);
    if (was) assert.equal(said({ path: frame.payload.from, path_uri: frame.payload.from_uri }), was, `${show(path)} came from there`);
    last.delete(frame.payload.id);
  }
  for (const { id, path } of [...vanished, ...displaced]) {
    if (after.videos.get(id).missing_since === null) continue;
    assert.equal(last.get(id)?.type, 'VIDEO_MISSING', `${show(path)} is missing`);
    last.delete(id);
  }
  assert.deepEqual([...last.values()].map(({ type, payload }) => `${type} ${payload.path}`), [], 'nothing else was said');
}

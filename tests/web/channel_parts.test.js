// The parts of the page's channel that need no browser: an event stream cut anywhere, frames of every shape, the filter.
import assert from 'node:assert/strict';
import test from 'node:test';
import { FRAMES_MAX, FrameBuffer, matcher } from '../../web/activity/frames.js';
import { Messages, parseFrame } from '../../web/server.js';
import { FAILURES, REMEDIES } from '../../web/vocabulary.js';

const STREAM = 'retry: 2000\n\nid: a:1\ndata: {"type":"A"}\n\n: beat\n\ndata: one\r\ndata: two\r\n\r\rdata:three\n\ndata: cut off';

test('an event stream gives the same messages wherever its pieces end', () => {
  for (let size = 1; size <= STREAM.length; size++) {
    const heard = [];
    const messages = new Messages((data) => heard.push(data));
    for (let at = 0; at < STREAM.length; at += size) messages.feed(STREAM.slice(at, at + size));
    assert.deepEqual(heard, ['{"type":"A"}', 'one\ntwo', 'three'], `pieces of ${size}`);
  }
});

test('what is no frame is none, and a frame always has a payload', () => {
  for (const text of ['', 'null', '[]', '7', '"x"', '{', '{"type":7}', '{"payload":{}}']) assert.equal(parseFrame(text), null, text);
  for (const payload of ['null', '7', '"x"']) assert.deepEqual(parseFrame(`{"type":"A","event_id":7,"payload":${payload}}`), { type: 'A', event_id: null, payload: {} });
  assert.equal(parseFrame('{"type":"A","event_id":"c:1","payload":{"x":1}}').payload.x, 1);
});

const entry = (more) => ({ type: 'A', topic: 'jobs', id: null, job: null, time: '', raw: '{}', ...more });

test('of many frames the last ones are kept, of large ones fewer', () => {
  const buffer = new FrameBuffer();
  for (let i = 0; i < 3 * FRAMES_MAX + 7; i++) buffer.add(entry({ raw: String(i) }));
  assert.equal(buffer.size, FRAMES_MAX);
  assert.equal(buffer.get(buffer.count).raw, String(buffer.count - 1));
  assert.equal(buffer.get(buffer.first).raw, String(buffer.first - 1));
  assert.equal(buffer.get(buffer.first - 1), undefined);
  for (let i = 0; i < 100; i++) buffer.add(entry({ raw: 'x'.repeat(1 << 20) }));
  assert.ok(buffer.size <= 4, String(buffer.size));
  buffer.clear();
  assert.equal(buffer.size, 0);
  buffer.add(entry({ raw: 'again' }));
  assert.equal(buffer.get(buffer.first).raw, 'again');
  assert.equal(buffer.size, 1);
});

test('the filter: each part narrows, and none is all', () => {
  const all = { type: '', topic: '', job: '', text: '' };
  const one = entry({ type: 'SCAN_STARTED', job: 'j', raw: '{"path":"/Films/Één"}' });
  assert.ok(matcher(all)(one));
  for (const part of [{ type: 'SCAN_STARTED' }, { topic: 'jobs' }, { job: 'j' }, { text: '/films/één' }]) assert.ok(matcher({ ...all, ...part })(one), JSON.stringify(part));
  for (const part of [{ type: 'SCAN' }, { topic: 'library' }, { job: 'k' }, { text: 'één ' }]) assert.ok(!matcher({ ...all, ...part })(one), JSON.stringify(part));
});

test('for every failure there is something that one can do', () => {
  assert.deepEqual(Object.keys(FAILURES).filter((code) => !Object.hasOwn(REMEDIES, code)), []);
  for (const words of Object.values(REMEDIES)) assert.match(words, /^[A-Z].*\.$/);
});

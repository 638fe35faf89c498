// How fast a job goes and how long it will still take, in numbers and in words.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Pace, timeLeft } from '../../web/format.js';

/** Adds what a job that does `rate` files a second has done at each tenth of a second. */
function go(pace, from, to, rate, done = 0) {
  for (let now = from; now <= to; now += 100) pace.add(now, Math.round(done + ((now - from) * rate) / 1000));
  return Math.round(done + ((to - from) * rate) / 1000);
}

test('nothing is said before it is known', () => {
  const pace = new Pace();
  assert.equal(pace.rate(0), null);
  pace.add(0, 0);
  assert.equal(pace.rate(100), null);
  assert.equal(pace.left(100, 50), null);
});

test('the rate is that of the last seconds, and the time left follows from it', () => {
  const pace = new Pace();
  const done = go(pace, 0, 10000, 100);
  assert.equal(Math.round(pace.rate(10000)), 100);
  assert.equal(Math.round(pace.left(10000, 500)), 5);
  go(pace, 10000, 20000, 10, done);
  assert.equal(Math.round(pace.rate(20000)), 10);
});

test('what stands still comes to a rate of nothing, and to no time left', () => {
  const pace = new Pace();
  go(pace, 0, 3000, 100);
  assert.equal(pace.rate(30000), 0);
  assert.equal(pace.left(30000, 10), null);
});

test('a rest counts for nothing, and neither does a counter that began anew', () => {
  const pace = new Pace();
  const done = go(pace, 0, 5000, 100);
  pace.rest(600000, done);
  go(pace, 600100, 603000, 100, done);
  assert.ok(Math.abs(pace.rate(603000) - 100) < 5, String(pace.rate(603000)));
  assert.ok(pace.points.every((point) => point > 60), pace.points.join());
  pace.add(604000, 3);
  assert.equal(pace.rate(604100), null);
});

test('the curve is of the whole job and of bounded length', () => {
  const pace = new Pace();
  const done = go(pace, 0, 600000, 50);
  go(pace, 600000, 1200000, 200, done);
  assert.ok(pace.points.length > 30 && pace.points.length <= 120, String(pace.points.length));
  assert.equal(Math.round(pace.points[1]), 50);
  assert.equal(Math.round(pace.points.at(-2)), 200);
});

test('a time left is said no finer than it is known', () => {
  assert.deepEqual([3, 21, 58, 90, 3599, 7380, 200000].map(timeLeft), ['a few seconds left', 'about 30 s left', 'about 1 min left',
    'about 2 min left', 'about 1 h 0 min left', 'about 2 h 3 min left', 'about 2 days left']);
});

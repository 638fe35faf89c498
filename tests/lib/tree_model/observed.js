// The whole catalogue as REST tells it: every page of what is there and of what is missing, and all that changed since the last
// time, which must say the same.
import assert from 'node:assert/strict';
import { said, show } from './paths.js';

/** What a query answers. */
async function ok(daemon, route) {
  const { status, body } = await daemon.get(route);
  assert.equal(status, 200, `${route}: ${JSON.stringify(body)}`);
  return body;
}

/** A list to its end, by cursor, in the order of coming. */
async function pages(daemon, filter, limit) {
  const all = [];
  for (let cursor = null; ;) {
    const more = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const body = await ok(daemon, `/api/v1/videos?sort=added&limit=${limit}${filter}${more}`);
    all.push(...body.videos);
    cursor = body.next_cursor;
    assert.ok(all.length <= body.total, `${filter}: more than the total ${body.total}`);
    if (cursor === null) {
      assert.equal(all.length, body.total, `${filter}: the total`);
      return { videos: all, event: body.event_id };
    }
  }
}

async function changes(daemon, since, limit) {
  const all = [];
  for (let from = since; ;) {
    const body = await ok(daemon, `/api/v1/changes?limit=${limit}${from ? `&since=${from}` : ''}`);
    all.push(...body.changes);
    from = body.next;
    if (!body.more) return { all, next: from };
  }
}

/** @param {string | null} since of the last observation; null: from the beginning */
export async function observe(daemon, since, limit) {
  const there = await pages(daemon, '', limit);
  const away = await pages(daemon, '&missing=true', limit);
  const { all, next } = await changes(daemon, since, limit);
  const videos = new Map();
  const at = new Map();
  const order = new Map();
  for (const video of [...there.videos, ...away.videos]) {
    assert.ok(!videos.has(video.id), `${video.id} is listed twice`);
    videos.set(video.id, video);
    order.set(video.id, order.size);
    const missing = video.missing_since !== null;
    assert.equal(missing, order.size > there.videos.length, `${video.id} is in the right list`);
    if (missing) continue;
    const path = said(video);
    assert.ok(!at.has(path), `two videos are at ${show(path)}`);
    at.set(path, video);
  }
  const removed = new Set();
  for (const { id, removed: gone, video } of all) {
    if (gone) {
      assert.ok(!videos.has(id), `${id} is removed in /changes, and listed`);
      removed.add(id);
    } else {
      assert.deepEqual(video, videos.get(id), '/changes and the lists tell the same');
    }
  }
  if (since === null) assert.equal(all.length - removed.size, videos.size, '/changes from the beginning has every video');
  return { videos, at, order, removed, touched: new Set(all.map(({ id }) => id)), next };
}

// What a catalogue holds, as REST tells it: the manifests beside the catalogues of earlier versions.
import assert from 'node:assert/strict';
import path from 'node:path';
import { top } from './daemon.js';

export const folder = path.join(top, 'tests/unit/catalog/versions');
const searches = ['light', 'ü', '日', 'media', 'nothing has this'];

async function ok(daemon, route) {
  const { status, body } = await daemon.get(`/api/v1/${route}`);
  assert.equal(status, 200, `${route}: ${JSON.stringify(body)}`);
  return body;
}

/** Reads everything there is. */
export async function readAll(daemon) {
  const { jobs } = await ok(daemon, 'jobs?limit=1000');
  const { videos, event_id } = await ok(daemon, 'videos?limit=1000&sort=name');
  const { changes } = await ok(daemon, 'changes?limit=1000');
  const all = { event_id, order: videos.map(({ id }) => id), videos: [], jobs: [], failures: {}, search: {} };
  for (const id of videos.map((video) => video.id).sort()) all.videos.push(await ok(daemon, `videos/${id}`));
  for (const { job_id: id } of jobs) {
    all.jobs.push(await ok(daemon, `jobs/${id}`));
    all.failures[id] = (await ok(daemon, `jobs/${id}/failures?limit=1000`)).failures;
  }
  all.changes = changes.map((one) => ({ event_id: one.event_id, id: one.id, removed: one.removed }));
  for (const text of searches) {
    const found = await ok(daemon, `videos/search?q=${encodeURIComponent(text)}`);
    all.search[text] = found.videos.map(({ id }) => id).sort();
  }
  return all;
}

/** Members of a video that earlier versions always said to be null: they had no pictures and gave no file. */
const nothing = ['thumbnail_path', 'thumbnail_url', 'file_url'];

/** Fails unless all that `expected` has is in `actual`; a later version may tell more. */
export function assertHas(actual, expected, at = 'it') {
  if (expected === null && nothing.some((name) => at.endsWith(`.${name}`))) return undefined;
  if (expected === null || typeof expected !== 'object') return assert.equal(actual, expected, at);
  assert.ok(actual !== null && typeof actual === 'object', `${at}: ${JSON.stringify(actual)}`);
  if (Array.isArray(expected)) assert.equal(actual.length, expected.length, `${at}: how many`);
  for (const key of Object.keys(expected)) assertHas(actual[key], expected[key], `${at}.${key}`);
  return undefined;
}

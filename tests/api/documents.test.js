// One vocabulary: vocabulary.def, the two documents and the page's modules name the same words, and what the server really
// says is what the documents describe: nothing missing, nothing undescribed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon, tempDir, top } from '../lib/daemon.js';
import { asyncapi, checkAnswer, checkFrame, mayAsk, maySay, openapi } from '../lib/documents.js';
import { fill, masters } from '../lib/trees.js';
import * as page from '../../web/vocabulary.js';

const definition = fs.readFileSync(path.join(top, 'src/events/vocabulary.def'), 'utf8');

/** The rows of one macro, as lists of their arguments. */
function rows(macro) {
  const found = [...definition.matchAll(new RegExp(`^${macro}\\((.*)\\)$`, 'gm'))]
    .map(([, inside]) => [...inside.matchAll(/"([^"]*)"|[^,\s]+/g)].map((match) => match[1] ?? match[0]));
  assert.ok(found.length > 0, `${macro} has no rows`);
  return found;
}
const words = (macro) => rows(macro).map((row) => row[1]);
const sorted = (list) => [...list].sort();

test('events: the definition, the channel\'s document and the page name the same', () => {
  const events = Object.fromEntries(rows('EVENT').map(([name, topic]) => [name, topic.toLowerCase()]));
  assert.deepEqual(page.EVENTS, events);
  const described = Object.entries(asyncapi.components.messages).filter(([, message]) => 'x-topic' in message);
  assert.deepEqual(Object.fromEntries(described.map(([name, message]) => [name, message['x-topic']])), events);
  assert.deepEqual(Object.fromEntries(described.map(([name, message]) => [name, message['x-durable']])),
    Object.fromEntries(rows('EVENT').map(([name, , durable]) => [name, durable === 'true'])));
  for (const [name, message] of described) assert.equal(message.payload.properties.type.const, name);
  assert.deepEqual(sorted(asyncapi.operations.receiveEvents.messages.map(({ $ref }) => $ref.split('/').at(-1))), sorted(Object.keys(events)));
  assert.deepEqual(sorted(Object.keys(asyncapi.channels.events.messages)), sorted(Object.keys(asyncapi.components.messages)));
});

test('statuses, types, phases, triggers, outcomes, failures: the same everywhere', () => {
  const { schemas } = openapi.components;
  assert.deepEqual(Object.fromEntries(Object.entries(page.STATUSES).map(([word, { terminal }]) => [word, String(terminal)])),
    Object.fromEntries(rows('JOB_STATUS').map(([, word, terminal]) => [word, terminal])));
  for (const [macro, schema, known] of [
    ['JOB_STATUS', 'JobStatus', page.STATUSES], ['JOB_TYPE', 'JobType', page.TYPES], ['JOB_PHASE', 'JobPhase', page.PHASES],
    ['JOB_TRIGGER', 'JobTrigger', page.TRIGGERS], ['OUTCOME', 'Outcome', page.OUTCOMES],
  ]) {
    assert.deepEqual(sorted(schemas[schema].enum), sorted(words(macro)), schema);
    assert.deepEqual(sorted(Object.keys(known)), sorted(words(macro)), macro);
  }
  assert.deepEqual(sorted(schemas.PathStatus.enum), sorted(words('PATH_STATUS')));
  assert.deepEqual(sorted(schemas.RootReason.enum), sorted(Object.keys(page.ROOT_REASONS)));
  assert.deepEqual(page.FAILURES, Object.fromEntries(rows('FAILURE')));
  assert.deepEqual(sorted(schemas.FailureCode.enum), sorted(rows('FAILURE').map(([name]) => name)));
});

/** Asks, and expects that status; the answer is held against the document on its way. */
async function ask(daemon, method, url, body, status) {
  const answer = await daemon.request(method, url, body);
  assert.equal(answer.status, status, `${method} ${url}: ${JSON.stringify(answer.body)}`);
  return answer;
}

test('the document has the routes of the server, and no others', () => {
  const table = fs.readFileSync(path.join(top, 'src/server/router.c'), 'utf8');
  const routes = [...table.matchAll(/\{METHOD_(\w+), (true|false), "([^"]+)"/g)].map(([, method, open, route]) => `${method} ${route} ${open}`);
  assert.ok(routes.length > 10);
  const described = Object.entries(openapi.paths).flatMap(([route, methods]) => Object.entries(methods)
    .map(([method, { security }]) => `${method.toUpperCase()} ${route} ${security?.length === 0}`));
  assert.deepEqual(sorted(described), sorted(routes));
});

test('what is not described is found', () => {
  const answer = { method: 'GET', url: '/api/v1/jobs', status: 200, type: 'application/json', body: { jobs: [], next_cursor: null, event_id: 'a:1' } };
  checkAnswer(answer);
  checkAnswer({ ...answer, method: 'HEAD', body: '' });
  for (const wrong of [{ body: {} }, { body: { ...answer.body, more: 1 } }, { body: { ...answer.body, jobs: [{}] } }, { status: 418 }, { type: 'text/html' },
    { url: '/api/v1/jobs/x' }, { url: '/api/v1/nothing', type: 'application/problem+json' }])
    assert.throws(() => checkAnswer({ ...answer, ...wrong }), { code: 'ERR_ASSERTION' }, JSON.stringify(wrong));
  const beat = { event_id: null, type: 'HEARTBEAT', timestamp: '2026-11-22T15:10:00.123Z', correlation_id: null, payload: {} };
  checkFrame(beat);
  for (const wrong of [{ type: 'NEWS' }, { type: 'PING' }, { payload: { x: 1 } }, { more: 1 }, { event_id: 'a:1' }, { timestamp: 'now' }])
    assert.throws(() => checkFrame({ ...beat, ...wrong }), { code: 'ERR_ASSERTION' }, JSON.stringify(wrong));
});

test('answers and frames of a scan are as the documents say', async (t) => {
  const dir = tempDir();
  const tree = path.join(dir, 'tree');
  fill(tree, masters().length * 2);
  const past = new Date(Date.now() - 3600e3);
  for (const [name, text] of [['empty.mp4', ''], ['words.mkv', 'words '.repeat(99)]]) {
    fs.writeFileSync(path.join(tree, name), text);
    fs.utimesSync(path.join(tree, name), past, past);
  }
  fs.copyFileSync(masters()[0], Buffer.concat([Buffer.from(`${tree}/not-utf8-`), Buffer.from([0xff]), Buffer.from('.mp4')]));
  const daemon = await Daemon.start({ args: ['--heartbeat', '0.2'] });
  t.after(async () => {
    await daemon.cleanup();
    fs.rmSync(dir, { recursive: true, force: true });
  });
  const channel = await daemon.channel();
  const api = '/api/v1';
  const { body: { job_id: id }, headers } = await ask(daemon, 'POST', `${api}/videos/scan`, { path: tree }, 202);
  assert.equal(headers.get('location'), `${api}/jobs/${id}`);
  await ask(daemon, 'GET', `${api}/jobs/${id}`, undefined, 200);
  await daemon.wait(id);
  await channel.find('SCAN_COMPLETED');
  const sinceStart = channel.frames[0].payload.event_id; // HELLO's
  const nobody = '01890000-0000-7000-8000-000000000000';
  const one = (await daemon.get(`${api}/videos?limit=1`)).body.videos[0].id;
  for (const [method, url, body, status] of [
    ['GET', `${api}/jobs`, undefined, 200],
    ['GET', `${api}/jobs?limit=0`, undefined, 400],
    ['GET', `${api}/jobs/${id}`, undefined, 200],
    ['GET', `${api}/jobs/${nobody}`, undefined, 404],
    ['GET', `${api}/jobs/${id}/wait?timeout_s=1`, undefined, 200],
    ['POST', `${api}/jobs/${id}/cancel`, undefined, 409],
    ['POST', `${api}/jobs/${id}/pause`, undefined, 409],
    ['POST', `${api}/jobs/${nobody}/pause`, undefined, 404],
    ['POST', `${api}/jobs/${id}/resume`, undefined, 409],
    ['POST', `${api}/jobs/${nobody}/resume`, undefined, 404],
    ['GET', `${api}/jobs/${id}/failures?limit=1`, undefined, 200],
    ['GET', `${api}/videos?limit=20`, undefined, 200],
    ['GET', `${api}/videos?sort=colour`, undefined, 400],
    ['GET', `${api}/videos/search?q=utf8`, undefined, 200],
    ['GET', `${api}/videos/${nobody}`, undefined, 404],
    ['POST', `${api}/videos/scan`, { path: path.join(dir, 'nowhere') }, 400],
    ['POST', `${api}/videos/scan`, { path: tree, colour: 'red' }, 422],
    ['GET', `${api}/changes`, undefined, 200],
    ['GET', `${api}/changes?since=x`, undefined, 400],
    ['GET', `${api}/changes?since=other:1`, undefined, 410],
    ['GET', `${api}/events?wait_s=0`, undefined, 200],
    ['GET', `${api}/events?wait_s=0&since=${sinceStart}`, undefined, 200],
    ['GET', `${api}/events?wait_s=0&topics=colours`, undefined, 400],
    ['GET', `${api}/filesystem/directories?path=${encodeURIComponent(tree)}`, undefined, 200],
    ['GET', `${api}/filesystem/directories?path=${encodeURIComponent(dir)}/nowhere`, undefined, 404],
    ['GET', `${api}/explain?path=${encodeURIComponent(tree)}`, undefined, 200],
    ['GET', `${api}/explain?path=x`, undefined, 400],
    ['GET', `${api}/roots`, undefined, 200],
    ['POST', `${api}/roots/999/accept-missing`, { token: nobody }, 404],
    ['POST', `${api}/videos/purge`, { older_than_days: 0 }, 200],
    ['POST', `${api}/videos/purge`, {}, 422],
    ['GET', '/health/live', undefined, 200],
    ['GET', '/health/ready', undefined, 200],
    ['GET', '/metrics', undefined, 200],
  ]) await ask(daemon, method, url, body, status);
  for (const video of await daemon.videos()) {
    await ask(daemon, 'GET', `${api}/videos/${video.id}`, undefined, 200);
  }
  await ask(daemon, 'DELETE', `${api}/videos/${one}`, undefined, 204);
  for (const [name, document] of [['openapi', openapi], ['asyncapi', asyncapi]]) {
    const answer = await ask(daemon, 'GET', `${api}/${name}.json`, undefined, 200);
    assert.deepEqual(answer.body, document);
  }
  await channel.find('VIDEO_REMOVED');
  channel.send({ type: 'PING' });
  channel.send({ type: 'NONSENSE' });
  await channel.find('HEARTBEAT');
  await channel.find('ERROR');
  for (const { received_ms: _, ...frame } of channel.frames) checkFrame(frame);
  assert.deepEqual(sorted(new Set(channel.frames.map((frame) => frame.type))), sorted(['ERROR', 'HEARTBEAT', 'HELLO', 'JOB_QUEUED', 'SCAN_COMPLETED', 'SCAN_PROGRESS',
    'SCAN_STARTED', 'VIDEO_ADDED', 'VIDEO_REMOVED']));
});

test('what clients may say, and what they are told: the server and the document agree', async (t) => {
  const daemon = await Daemon.start();
  t.after(() => daemon.cleanup());
  const channel = await daemon.channel();
  const { payload: { event_id: here } } = await channel.find('HELLO');
  const id = '01890000-0000-7000-8000-000000000000';
  const codes = new Set();
  const say = async (text) => {
    const answers = () => channel.frames.filter(({ type }) => ['SUBSCRIBED', 'ERROR', 'HEARTBEAT'].includes(type));
    const before = answers().length;
    channel.send(text);
    await channel.find(() => answers().length > before, text);
    const { type, payload } = answers().at(-1);
    if (type === 'ERROR') codes.add(payload.code);
    return type !== 'ERROR';
  };
  const payloads = [{}, null, [], 'x', { topics: ['jobs'] }, { topics: ['library', 'jobs'] }, { topics: [] }, { topics: ['jobs', 'jobs'] },
    { topics: ['meta'] }, { topics: 'jobs' }, { topics: [1] }, { topics: null }, { job_id: id }, { job_id: 'x' }, { job_id: '' }, { job_id: 7 },
    { since: here }, { since: 'other:0' }, { since: `${here}:0000abcd.77` }, { since: 'x' }, { since: '' }, { since: 'x:' }, { since: ':1' },
    { since: `${here}:abcd.77` }, { since: 1 }, { progress_ms: 0 }, { progress_ms: 60000 }, { progress_ms: 250.0 }, { progress_ms: 60001 },
    { progress_ms: -1 }, { progress_ms: 0.5 }, { progress_ms: '250' }, { progress_ms: null }, { colour: 'red' },
    { topics: ['library'], job_id: id, since: here, progress_ms: 250 }];
  const messages = [...payloads.map((payload) => ({ type: 'SUBSCRIBE', payload })), { type: 'SUBSCRIBE' }, { type: 'SUBSCRIBE', more: 1 },
    { type: 'PING' }, { type: 'PING', payload: {} }, { type: 'PING', payload: { x: 1 } }, { type: 'HELLO' }, { type: 'NEWS' }, { type: 7 }, {}];
  for (const message of messages) assert.equal(await say(JSON.stringify(message)), maySay(message), JSON.stringify(message));
  for (const text of ['', '{', '[]', '{"type":"PING","type":"PING"}', '{"type":"PING"} x']) assert.equal(await say(text), false, text);
  const described = asyncapi.components.schemas.ErrorCode.enum;
  assert.deepEqual(sorted(codes), sorted(described.filter((code) => code !== 'OUT_OF_MEMORY')));
  await channel.close();

  for (const query of ['topics=jobs', 'topics=library,jobs', 'topics=', 'topics=jobs,', 'topics=jobs,jobs', 'topics=meta', `job_id=${id}`, 'job_id=x',
    'job_id=', `since=${here}`, 'since=other:0', 'since=x', 'since=', `since=${here}:0000abcd.77`, 'progress_ms=250', 'progress_ms=60001',
    'progress_ms=x', 'progress_ms=', 'colour=red', 'topics=jobs&topics=jobs', `topics=jobs&job_id=${id}&since=${here}&progress_ms=1`,
    'wait_s=0', 'limit=1']) {
    const args = query.split('&').map((one) => one.split('='));
    const opened = await daemon.channel(`?${query}`).then((one) => one.find('SUBSCRIBED').then(() => one.close()), (error) => error);
    assert.equal(!(opened instanceof Error), mayAsk('/ws', args), `/ws?${query}: ${opened}`);
    if (opened instanceof Error) assert.match(opened.message, /400/, query);
    const { status, body } = await daemon.get(`/api/v1/events?${query}${query.includes('wait_s') ? '' : '&wait_s=0'}`);
    assert.equal(status, mayAsk('/api/v1/events', args) ? 200 : 400, `/events?${query}: ${JSON.stringify(body)}`);
  }
});

test('each route that the document names answers, and the page is served', async (t) => {
  const daemon = await Daemon.start();
  t.after(() => daemon.cleanup());
  for (const [route, methods] of Object.entries(openapi.paths)) {
    for (const method of Object.keys(methods)) {
      const query = route === '/api/v1/events' ? '?wait_s=0' : ''; // else it would not end
      const answer = await daemon.request(method.toUpperCase(), route.replace('{id}', '01890000-0000-7000-8000-000000000000') + query);
      assert.notEqual(answer.status, 405, `${method} ${route}`);
      if (answer.status === 404) assert.notEqual(answer.body.detail, 'there is no such route', `${method} ${route}`);
    }
  }
  const answer = await daemon.get('/');
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'self'; connect-src 'self';/);
  assert.doesNotMatch(answer.headers.get('content-security-policy'), /unsafe/);
});

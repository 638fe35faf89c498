// The connection as the page tells it: live, streaming, polling, reading, reconnecting; and whatever happens to it, the page
// comes to equal REST without a reload.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after } from 'node:test';
import { eventually, makeVideo, tempDir } from '../lib/daemon.js';
import { CutProxy } from '../lib/cut_proxy.js';
import { fill } from '../lib/trees.js';
import {
  LIVE, ONE_WORKER, assertCardEquals, assertListEquals, closeBrowser, holdWorker, linkMany, scanByForm, showView, somethingFound, start, testsAtOnce,
} from './page.js';

after(closeBrowser);
const test = testsAtOnce(6);

const NETWORK = /WebSocket connection|Failed to load resource|ERR_/;

/** Routes the page's socket; `gate.open` says whether it gets through, `gate.deaf` whether it hears anything. */
async function gateSocket(page, gate) {
  await page.routeWebSocket(/\/ws(\?|$)/, (socket) => {
    gate.tries = (gate.tries ?? 0) + 1;
    if (!gate.open) {
      socket.close({ code: 4000 });
      return;
    }
    const server = socket.connectToServer();
    gate.say = (frame) => socket.send(JSON.stringify(frame));
    gate.shut = () => socket.close({ code: 4000 });
    server.onMessage((message) => {
      if (gate.held) gate.held.push(() => socket.send(message));
      else if (!gate.deaf?.(JSON.parse(String(message)))) socket.send(message);
    });
  });
}

/** Ends requests for the event stream, for long polls, or lets them through, as `gate.stream` and `gate.poll` say. */
async function gateEvents(page, gate) {
  await page.route(/\/api\/v1\/events/, (route) => {
    const poll = route.request().url().includes('wait_s=');
    return (poll ? gate.poll : gate.stream) ? route.continue() : route.abort();
  });
}

const mode = (page, name) => page.waitForSelector(`reeld-connection[data-mode="${name}"]`);
const modeNow = (page) => page.getAttribute('reeld-connection', 'data-mode');

/** Marks the page, so that a reload would be seen. */
const mark = (page) => page.evaluate(() => { window.notReloaded = true; });

/** Jobs, list and folders of the page are those of REST, and it was never reloaded. */
async function assertPageEquals(page, daemon) {
  const { jobs } = (await daemon.get('/api/v1/jobs')).body;
  await showView(page, 'Scans');
  await page.waitForFunction((count) => document.querySelectorAll('reeld-job, reeld-job-line').length === count, jobs.length);
  for (const job of jobs) {
    const card = page.locator(`reeld-job:has([id="job-${job.job_id}"])`);
    if (await card.count() === 0) continue; // a line of the history
    await card.and(page.locator(`[data-status="${job.status}"]`)).waitFor();
    await assertCardEquals(card, job);
  }
  await assertListEquals(page, daemon);
  assert.equal(await page.evaluate(() => window.notReloaded), true, 'the page was reloaded');
}

async function relaunch(daemon, ...more) {
  daemon.options = { ...daemon.options, args: [...(daemon.options?.args ?? []), '--port', String(daemon.port), ...more] };
  await daemon.launch();
}

test('WebSocket blocked: the event stream shows the same scan, and the page goes live when it opens', async (t) => {
  const { daemon, dir, open } = await start(t);
  const tree = path.join(dir, 'films');
  fill(tree, 200);
  fs.writeFileSync(path.join(tree, 'empty.mp4'), '');
  const past = new Date(Date.now() - 3600e3);
  fs.utimesSync(path.join(tree, 'empty.mp4'), past, past);
  const gate = { open: false };
  const page = await open({ live: false, prepare: (one) => gateSocket(one, gate) });
  await mark(page);
  await mode(page, 'streaming');
  const card = await scanByForm(page, tree);
  await card.and(page.locator('[data-status="complete"]')).waitFor();
  await card.locator('.failures li').filter({ hasText: 'It is empty (0 bytes).' }).waitFor();
  await assertPageEquals(page, daemon);
  assert.equal(await modeNow(page), 'streaming');
  assert.match(await page.locator('reeld-connection').textContent(), /Live over HTTP/);
  gate.open = true;
  await mode(page, 'live');
  await card.getByRole('button', { name: 'Dismiss' }).click();
  fill(path.join(dir, 'more'), 3);
  const next = await scanByForm(page, path.join(dir, 'more'));
  await next.and(page.locator('[data-status="complete"]')).waitFor();
  assert.equal(await modeNow(page), 'live');
});

test('WebSocket and event stream blocked: long poll, told once each; up again by the event stream to WebSocket', async (t) => {
  const { daemon, dir, open } = await start(t);
  const tree = path.join(dir, 'films');
  fill(tree, 60);
  const gate = { open: false, stream: false, poll: true };
  const page = await open({ live: false, allow: NETWORK, prepare: async (one) => {
    await gateSocket(one, gate);
    await gateEvents(one, gate);
  } });
  await mark(page);
  await mode(page, 'polling');
  const card = await scanByForm(page, tree);
  await card.and(page.locator('[data-status="complete"]')).waitFor();
  await assertPageEquals(page, daemon);
  assert.equal(await modeNow(page), 'polling');
  await showView(page, 'Activity');
  const added = () => page.locator('.activity-tools .hint').filter({ hasText: ' 60 match' });
  await page.getByLabel('Type').selectOption('VIDEO_ADDED');
  await added().waitFor();
  gate.stream = true;
  await mode(page, 'streaming');
  gate.open = true;
  await mode(page, 'live');
  await added().waitFor();
});

/** Lets the page wait for a greeting as long as the test takes, which would not be in time on a busy machine. */
const patient = (page) => page.addInitScript((greeting) => {
  const { setTimeout: later } = window;
  window.setTimeout = (call, ms, ...more) => later(call, ms === greeting ? 600000 : ms, ...more);
}, 6000);

test('what both tell while a better way is being opened, is told once', async (t) => {
  const { daemon, dir, open } = await start(t);
  fill(path.join(dir, 'films'), 25);
  const gate = { open: false };
  const page = await open({ live: false, prepare: async (one) => {
    await gateSocket(one, gate);
    await patient(one);
  } });
  await mode(page, 'streaming');
  await showView(page, 'Activity');
  await page.getByLabel('Type').selectOption('VIDEO_ADDED');
  gate.held = [];
  gate.open = true;
  await eventually(() => gate.held.length > 0, 'the socket is open, and its greeting held back');
  await daemon.wait(await daemon.scan(path.join(dir, 'films')));
  const match = (count) => page.locator('.activity-tools .hint').filter({ hasText: ` ${count} match` }).waitFor();
  await match(25);
  const held = gate.held;
  await eventually(() => held.length > 25, 'the socket tells the events too');
  gate.held = null;
  for (const send of held) send();
  await mode(page, 'live');
  fill(path.join(dir, 'more'), 1);
  await daemon.wait(await daemon.scan(path.join(dir, 'more')));
  await match(26);
});

test('no way through but plain requests: the state is read again and again, and the page says so', async (t) => {
  const { daemon, dir, open } = await start(t);
  const tree = path.join(dir, 'films');
  fill(tree, 20);
  const gate = { open: false, stream: false, poll: false };
  const page = await open({ live: false, allow: NETWORK, prepare: async (one) => {
    await gateSocket(one, gate);
    await gateEvents(one, gate);
  } });
  await mark(page);
  await mode(page, 'reading');
  const card = await scanByForm(page, tree);
  await card.and(page.locator('[data-status="complete"]')).waitFor();
  await assertPageEquals(page, daemon);
  const before = gate.tries;
  await page.getByRole('button', { name: 'Try now' }).click();
  await eventually(() => gate.tries > before, 'it is tried');
  gate.open = true;
  await mode(page, 'live');
});

test('the daemon killed in the middle of a scan and started again: the page recovers without a reload', async (t) => {
  const { daemon, dir, open } = await start(t, { args: ONE_WORKER });
  const tree = path.join(dir, 'many');
  linkMany(tree, makeVideo(path.join(dir, 'one.mp4')), 1500);
  const page = await open({ allow: NETWORK });
  await mark(page);
  const card = await scanByForm(page, tree);
  await somethingFound(daemon);
  await holdWorker(daemon);
  await card.and(page.locator('[data-status="running"]')).waitFor();
  await daemon.stop('SIGKILL');
  await mode(page, 'reconnecting');
  await card.getByText('The connection is lost; this is how it stood at').waitFor();
  assert.equal(await card.getAttribute('data-status'), 'running');
  assert.equal(await card.locator('.bar.moving').count(), 0);
  await relaunch(daemon);
  // It rests until the page has come back: else it could be over by then.
  const [{ job_id: id }] = (await daemon.get('/api/v1/jobs')).body.jobs;
  await daemon.post(`/api/v1/jobs/${id}/pause`);
  await mode(page, 'live');
  await card.getByText('went on after a restart').waitFor();
  await daemon.post(`/api/v1/jobs/${id}/resume`);
  await card.and(page.locator('[data-status="complete"]')).waitFor();
  const [job] = (await daemon.get('/api/v1/jobs')).body.jobs;
  assert.equal(job.status, 'complete');
  assert.equal(job.result.scanned, 1500);
  await assertPageEquals(page, daemon);
});

test('another catalogue after a restart: a job that the server does not know is shown as lost', async (t) => {
  const { daemon, dir, open } = await start(t, { args: ONE_WORKER });
  const tree = path.join(dir, 'many');
  linkMany(tree, makeVideo(path.join(dir, 'one.mp4')), 2000);
  const page = await open({ allow: NETWORK });
  const resyncs = [];
  page.on('response', (answer) => answer.url().includes('/api/v1/changes') && resyncs.push(answer.status()));
  const card = await scanByForm(page, tree);
  await somethingFound(daemon);
  await holdWorker(daemon);
  await card.and(page.locator('[data-status="running"]')).waitFor();
  await daemon.stop('SIGKILL');
  for (const name of fs.readdirSync(daemon.dir).filter((one) => one.startsWith('catalog.db'))) fs.rmSync(path.join(daemon.dir, name));
  await relaunch(daemon);
  await mode(page, 'live');
  await card.and(page.locator('[data-status="gone"]')).waitFor();
  assert.match(await card.textContent(), /Lost.*does not know this job any more/);
  assert.equal(await card.getByRole('button', { name: 'Cancel' }).isVisible(), false);
  await card.getByRole('button', { name: 'Dismiss' }).click();
  await page.getByText('No job yet').waitFor();
  await eventually(() => resyncs.length > 0, 'the feed was asked for');
  assert.deepEqual(resyncs, [410]);
  await assertListEquals(page, daemon);
});

test('a socket that fell silent is not called live', async (t) => {
  const { open } = await start(t, { args: ['--heartbeat', '1'] });
  const gate = { open: true, deaf: null };
  const page = await open({ prepare: (one) => gateSocket(one, gate) });
  gate.deaf = () => true;
  await page.waitForSelector(`reeld-connection:not([data-mode="live"])`);
  await mode(page, 'streaming');
  gate.deaf = null;
  await mode(page, 'live');
});

for (const [name, blocked] of [['live', false], ['streaming', true]]) {
  test(`the network cut without a word while ${name}: noticed, said, and made up for`, async (t) => {
    const proxy = await CutProxy.start();
    t.after(() => proxy.close());
    const { daemon, dir, open } = await start(t, { args: ['--heartbeat', '1', '--host', `127.0.0.1:${proxy.port}`] });
    proxy.to = daemon.port;
    const tree = path.join(dir, 'films');
    const gate = { open: !blocked };
    const page = await open({ live: false, url: proxy.url, allow: NETWORK, prepare: (one) => gateSocket(one, gate) });
    await mark(page);
    fill(tree, 40);
    await mode(page, name);
    await (await scanByForm(page, tree)).and(page.locator('[data-status="complete"]')).waitFor();
    proxy.cut();
    await mode(page, 'reconnecting');
    fs.rmSync(path.join(tree, 'folder 0', '0.mp4'));
    fill(path.join(tree, 'new'), 30);
    await daemon.wait(await daemon.scan(tree));
    assert.equal(await modeNow(page), 'reconnecting');
    proxy.restore();
    await mode(page, name);
    await assertPageEquals(page, daemon);
  });
}

test('more was missed than the server keeps: the change feed is read to its end, and the page equals REST', async (t) => {
  const { daemon, dir, open } = await start(t, { args: ['--ring', '1'] });
  const gate = { open: true, stream: false, poll: false };
  const page = await open({ allow: NETWORK, prepare: async (one) => {
    await gateSocket(one, gate);
    await gateEvents(one, gate);
  } });
  await mark(page);
  const answers = [];
  page.on('response', (answer) => answer.url().includes('/api/v1/changes') && answers.push(answer.json()));
  gate.open = false;
  gate.shut();
  await mode(page, 'reading');
  linkMany(path.join(dir, 'many'), makeVideo(path.join(dir, 'one.mp4')), 1500);
  const job = await daemon.wait(await daemon.scan(path.join(dir, 'many')));
  assert.equal(job.result.new, 1500);
  gate.open = true;
  await mode(page, 'live');
  await eventually(async () => answers.length > 0 && !(await answers.at(-1)).more, 'the change feed was read to its end');
  const asked = await Promise.all(answers);
  assert.equal(asked.reduce((sum, { changes }) => sum + changes.length, 0), 1500);
  await assertPageEquals(page, daemon);
  assert.deepEqual(asked.map(({ more }) => more), [true, false]);
});

test('a page that was asleep wakes up to what is', async (t) => {
  const { daemon, dir, open } = await start(t, { args: ['--heartbeat', '1'] });
  const page = await open();
  await mark(page);
  const session = await page.context().newCDPSession(page);
  await session.send('Page.setWebLifecycleState', { state: 'frozen' });
  fill(path.join(dir, 'films'), 50);
  await daemon.wait(await daemon.scan(path.join(dir, 'films')));
  await session.send('Page.setWebLifecycleState', { state: 'active' });
  await page.waitForSelector(LIVE);
  await assertPageEquals(page, daemon);
});

test('a socket that is closed each time it greeted is not taken up again at once, again and again', async (t) => {
  const { open } = await start(t);
  const gate = { open: true };
  const page = await open({ prepare: (one) => gateSocket(one, gate) });
  const shut = [];
  gate.deaf = ({ type }) => {
    if (type !== 'HELLO') return true;
    shut.push(Date.now());
    setImmediate(gate.shut);
    return false;
  };
  gate.shut();
  await eventually(() => shut.length >= 4, 'it was closed four times');
  assert.ok(shut[3] - shut[0] >= 2000, `${shut[3] - shut[0]} ms for four tries`);
  gate.deaf = null;
  await mode(page, 'live');
});

test('the token changed while the page was open: it is asked for, and the page goes on', async (t) => {
  const dir = tempDir();
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  const file = path.join(dir, 'token');
  const write = (token) => fs.writeFileSync(file, `${token}\n`, { mode: 0o600 });
  write('first-token-of-the-server');
  const { daemon, open } = await start(t, { args: ['--token-file', file] });
  const page = await open({ live: false, allow: /401|WebSocket connection|ERR_/ });
  const give = async (token) => {
    await page.getByLabel('Token', { exact: true }).fill(token);
    await page.keyboard.press('Enter');
  };
  await give('first-token-of-the-server');
  await mode(page, 'live');
  await mark(page);
  await daemon.stop();
  write('second-token-of-the-server');
  await relaunch(daemon);
  await mode(page, 'locked');
  await page.getByRole('button', { name: 'Not now' }).click();
  await page.getByText('This server asks for a token; without it nothing can be read.').waitFor();
  await page.getByRole('button', { name: 'Enter the token' }).click();
  await give('second-token-of-the-server');
  await mode(page, 'live');
  assert.equal(await page.evaluate(() => window.notReloaded), true);
});

test('the word that ends a scan never comes: the page finds out by itself', async (t) => {
  const { dir, open } = await start(t);
  fill(path.join(dir, 'films'), 20);
  const gate = { open: true, deaf: (frame) => /^(SCAN|JOB)_/.test(frame.type) };
  const page = await open({ prepare: (one) => gateSocket(one, gate) });
  const card = await scanByForm(page, path.join(dir, 'films'));
  await card.and(page.locator('[data-status="complete"]')).waitFor();
  assert.equal(await modeNow(page), 'live');
});

test('news of a kind that the page has never heard of', async (t) => {
  const { daemon, dir, open } = await start(t);
  fill(path.join(dir, 'films'), 3);
  const id = await daemon.scan(path.join(dir, 'films'));
  await daemon.wait(id);
  const gate = { open: true };
  const page = await open({ allow: /404/, prepare: (one) => gateSocket(one, gate) });
  const envelope = { event_id: null, timestamp: new Date().toISOString(), correlation_id: null };
  gate.say({ ...envelope, type: 'SCAN_PONDERED', payload: { job_id: id } });
  gate.say({ ...envelope, type: '<b>VIDEO</b>\u202eX', payload: null });
  for (const payload of [{}, { job_id: id }, { job_id: 'none', status: 7 }, { job_id: id, counts: 'many', path: 3 }, { jobs: [null, 7, {}] }]) {
    for (const type of ['HELLO', 'JOB_QUEUED', 'SCAN_STARTED', 'SCAN_PROGRESS', 'SCAN_COMPLETED', 'THUMBNAILS_FAILED']) gate.say({ ...envelope, type, payload });
  }
  gate.say({ ...envelope, type: 'ERROR', payload: { code: 'ODD', message: 'that was odd' } });
  const notices = page.getByRole('region', { name: 'Notices' });
  await notices.getByText('SCAN_PONDERED, <b>VIDEO</b>U+202EX').waitFor();
  await notices.getByText('that was odd').waitFor();
  await notices.getByRole('button', { name: 'Close' }).first().click();
  assert.equal(await modeNow(page), 'live');
  assert.equal(await notices.locator('b').count(), 0);
  await showView(page, 'Scans');
  await page.locator('reeld-job-line[data-status="complete"]').waitFor();
});

test('a page that was open while nobody answered catches up by itself', async (t) => {
  const { daemon, dir, open } = await start(t);
  const page = await open({ allow: NETWORK });
  await mark(page);
  await daemon.stop('SIGTERM');
  await mode(page, 'reconnecting');
  await relaunch(daemon);
  fill(path.join(dir, 'films'), 7);
  await daemon.wait(await daemon.scan(path.join(dir, 'films')));
  await page.waitForSelector(LIVE);
  await assertPageEquals(page, daemon);
  await eventually(async () => (await page.locator('reeld-jobs').textContent()).includes('7 files'), 'the job is listed');
});

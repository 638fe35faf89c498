// One video: all that is known of it, what is wrong with it, its duplicates, playing it, and news of it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { makeVideo } from '../lib/daemon.js';
import { artefacts, assertAccessible, closeBrowser, spoken, start } from './page.js';

after(closeBrowser);

const CHAPTERS = ';FFMETADATA1\ntitle=A Long Way\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=Opening\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=3000\ntitle=<i>The \u202eend\n';

/** Three seconds of VP8 in WebM with chapters: what Chromium decodes for certain. */
function makeFilm(file) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const meta = `${file}.meta`;
  fs.writeFileSync(meta, CHAPTERS);
  execFileSync('ffmpeg', ['-nostdin', '-loglevel', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=3', '-f', 'lavfi', '-i', 'sine=duration=3',
    '-i', meta, '-map', '0', '-map', '1', '-map_metadata', '2', '-metadata:s:a:0', 'language=deu', '-c:v', 'libvpx', '-c:a', 'libvorbis', file]);
  fs.rmSync(meta);
  return file;
}

/** Says that videos have files, pictures and storyboards, and gives them: real bytes, whatever the server under test can do by itself. */
async function serveMedia(page, file) {
  const bytes = fs.readFileSync(file);
  await page.route(/\/api\/v1\/videos\/[0-9a-f-]+$/, async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    await route.fulfill({ response: answer, json: { ...body, file_url: `/api/v1/videos/${body.id}/file`, thumbnail_url: `/api/v1/videos/${body.id}/thumbnail`, thumbnail: 'ready' } });
  });
  await page.route(/\/file$/, (route) => {
    const range = /bytes=(\d+)-(\d*)/.exec(route.request().headers().range ?? '');
    const start = Number(range?.[1] ?? 0);
    const end = range?.[2] ? Number(range[2]) : bytes.length - 1;
    return route.fulfill({
      status: range ? 206 : 200, contentType: 'video/webm', body: bytes.subarray(start, end + 1),
      headers: { 'accept-ranges': 'bytes', ...(range ? { 'content-range': `bytes ${start}-${end}/${bytes.length}` } : {}) },
    });
  });
  const picture = execFileSync('ffmpeg', ['-nostdin', '-loglevel', 'error', '-i', file, '-frames:v', '1', '-f', 'mjpeg', '-']);
  await page.route(/\/thumbnail\?w=\d+$|storyboard\.jpg$/, (route) => route.fulfill({ contentType: 'image/jpeg', body: picture }));
  await page.route(/storyboard\.vtt$/, (route) => route.fulfill({
    contentType: 'text/vtt',
    body: 'WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nstoryboard.jpg#xywh=0,0,160,90\n\n00:00:01.500 --> 00:00:03.000\nstoryboard.jpg#xywh=160,90,160,90\n\nNOTE\n\nbroken\n',
  }));
}

test('every number, stream and chapter; copy, JSON, duplicates', async (t) => {
  const { daemon, dir, open } = await start(t);
  const film = makeFilm(path.join(dir, 'media', 'A Long Way.webm'));
  fs.copyFileSync(film, path.join(dir, 'media', 'the same.webm'));
  await daemon.wait(await daemon.scan(path.join(dir, 'media')));
  const [listed] = (await daemon.get('/api/v1/videos?q=Long')).body.videos;
  const { body: video } = await daemon.get(`/api/v1/videos/${listed.id}`);
  const page = await open({ path: `/videos/${video.id}`, allow: /Failed to load resource/ });
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.locator('#video-title').getByText('A Long Way.webm').waitFor();
  assert.equal(await page.title(), 'A Long Way.webm – reeld');
  const facts = Object.fromEntries(await page.locator('.facts > div').evaluateAll((all) => all.map((one) => [one.querySelector('dt').textContent, one.querySelector('dd').textContent])));
  assert.equal(facts.Title, 'A Long Way');
  assert.equal(facts.Id, video.id);
  assert.equal(facts.Resolution, '320×180');
  assert.match(facts.Size, new RegExp(`\\(${video.file_size.toLocaleString('en')} bytes\\)`));
  assert.match(facts['Frame rate'], /^25 a second/);
  const tables = page.locator('.tables');
  assert.deepEqual(await tables.locator('caption').allTextContents(), ['Video', 'Sound', 'Chapters']);
  assert.match(await tables.getByRole('region', { name: 'Sound' }).textContent(), /Vorbis.*German/);
  assert.deepEqual(await tables.getByRole('region', { name: 'Chapters' }).locator('tbody tr').allTextContents(), ['10:000:01Opening', '20:010:03<i>The U+202Eend']);
  assert.equal(await page.locator('reeld-video i').count(), 0);
  await page.getByRole('button', { name: 'Copy path' }).click();
  await spoken(page, 'Copied.');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), video.path);
  await page.getByText('Raw JSON').click();
  await page.waitForFunction(() => document.querySelector('.raw pre').textContent.length > 0);
  assert.deepEqual(JSON.parse((await page.locator('.raw pre').textContent()).replaceAll('U+202E', '\u202e')), video);
  await assertAccessible(page);
  const atTheTop = () => page.waitForFunction(() => document.activeElement.matches('main > [data-view="video"]') && scrollY === 0);
  await page.setViewportSize({ width: 600, height: 400 });
  await page.getByRole('link', { name: 'the same.webm' }).press('Enter');
  await page.locator('#video-title').getByText('the same.webm').waitFor();
  await atTheTop();
  await page.getByRole('link', { name: 'A Long Way.webm' }).focus();
  await page.waitForFunction(() => scrollY > 0);
  await page.goBack();
  await page.locator('#video-title').getByText('A Long Way.webm').waitFor();
  await atTheTop();
});

test('it plays in place, by pointer and by key, with a preview of where one would go', async (t) => {
  const { daemon, dir, open } = await start(t);
  const film = makeFilm(path.join(dir, 'media', 'film.webm'));
  await daemon.wait(await daemon.scan(path.join(dir, 'media')));
  const [video] = (await daemon.get('/api/v1/videos')).body.videos;
  const page = await open({ path: `/videos/${video.id}`, prepare: (one) => serveMedia(one, film) });
  const player = page.locator('reeld-player');
  await page.evaluate(() => { document.querySelector('reeld-player video').loop = true; }); // or it is over before somebody is there
  await player.locator('.still img').and(page.locator(':visible')).waitFor();
  await player.locator('.cover').click();
  await page.waitForFunction(() => document.querySelector('reeld-player video').currentTime > 0.2);
  await player.locator('.player-bar').getByRole('button', { name: 'Pause' }).click();
  await page.waitForFunction(() => document.querySelector('reeld-player video').paused);
  const slider = player.getByRole('slider', { name: 'Position' });
  await slider.focus();
  await page.keyboard.press('Home');
  await page.waitForFunction(() => document.querySelector('reeld-player video').currentTime === 0);
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction(() => document.querySelector('reeld-player video').currentTime > 2.9);
  await slider.and(page.locator('[aria-valuetext="0:03 of 0:03"]')).waitFor();
  const box = await slider.boundingBox();
  await page.mouse.move(box.x + box.width * 0.75, box.y + box.height / 2);
  const tile = player.locator('.preview-tile');
  await tile.and(page.locator(':visible')).waitFor();
  assert.equal(await tile.evaluate((one) => one.style.backgroundPosition), '-160px -90px');
  assert.match(await tile.evaluate((one) => one.style.backgroundImage), /\/storyboard\.jpg"\)$/);
  assert.match(await player.locator('.preview').textContent(), /^0:02 · <i>The U\+202Eend$/);
  fs.mkdirSync(artefacts, { recursive: true });
  await page.screenshot({ path: path.join(artefacts, 'video-plays.png') });
  await page.mouse.click(box.x + box.width * 0.5, box.y + box.height / 2);
  await page.waitForFunction(() => Math.abs(document.querySelector('reeld-player video').currentTime - 1.5) < 0.1);
  await page.getByRole('button', { name: 'Play from 0:01' }).click();
  await page.waitForFunction(() => !document.querySelector('reeld-player video').paused);
  await page.getByRole('link', { name: '← Library' }).click();
  await page.waitForFunction(() => document.querySelector('reeld-player video').paused);
  assert.equal(await page.evaluate(() => document.querySelector('reeld-player video').hasAttribute('src')), false, 'the file is let go');
});

test('removed while it plays: it stops, and nothing of it is left; the focus is not lost', async (t) => {
  const { daemon, dir, open } = await start(t);
  const film = makeFilm(path.join(dir, 'media', 'film.webm'));
  await daemon.wait(await daemon.scan(path.join(dir, 'media')));
  const [video] = (await daemon.get('/api/v1/videos')).body.videos;
  const page = await open({ path: `/videos/${video.id}`, allow: /Failed to load resource.*404/, prepare: (one) => serveMedia(one, film) });
  await page.evaluate(() => { document.querySelector('reeld-player video').loop = true; });
  await page.locator('reeld-player .cover').click();
  await page.waitForFunction(() => document.querySelector('reeld-player video').currentTime > 0);
  await page.locator('.player-bar').getByRole('button', { name: 'Pause' }).focus();
  assert.equal((await daemon.request('DELETE', `/api/v1/videos/${video.id}`)).status, 204);
  await page.getByRole('heading', { name: 'The library has no such video.' }).waitFor();
  assert.deepEqual(await page.evaluate(() => {
    const media = document.querySelector('reeld-player video');
    return [media.paused, media.hasAttribute('src'), document.querySelector('.video-marks').textContent, document.querySelector('.video-where').textContent];
  }), [true, false, '', '']);
  assert.equal(await page.title(), 'No such video – reeld');
  await page.waitForFunction(() => document.activeElement.textContent === '← Library');
});

test('the server is away: that is what is said, and not that there is no such video', async (t) => {
  const { daemon, dir, open } = await start(t);
  makeVideo(path.join(dir, 'media', 'one.mp4'));
  await daemon.wait(await daemon.scan(path.join(dir, 'media')));
  const [video] = (await daemon.get('/api/v1/videos')).body.videos;
  const page = await open({ path: `/videos/${video.id}`, allow: /Failed to load resource/, prepare: (one) => one.route(`**/api/v1/videos/${video.id}`, (route) => route.abort()) });
  await page.getByRole('heading', { name: 'It could not be read' }).waitFor();
  assert.equal(await page.title(), 'Video – reeld');
  await page.unroute(`**/api/v1/videos/${video.id}`);
  await page.reload();
  await page.waitForFunction(() => document.title === 'one.mp4 – reeld');
});

test('a duplicate that comes is shown at once, not with the next regular reading', async (t) => {
  const { daemon, dir, open } = await start(t);
  const media = path.join(dir, 'media');
  const file = makeVideo(path.join(media, 'one.mp4'));
  await daemon.wait(await daemon.scan(media));
  const [video] = (await daemon.get('/api/v1/videos')).body.videos;
  let say;
  const page = await open({ path: `/videos/${video.id}`, prepare: (one) => one.routeWebSocket(/\/ws(\?|$)/, (socket) => {
    say = (frame) => socket.send(JSON.stringify(frame));
    // Of the scan the page hears nothing, for while one runs it reads often.
    socket.connectToServer().onMessage((message) => JSON.parse(String(message)).event_id ?? socket.send(message));
  }) });
  await page.locator('.facts').first().waitFor();
  fs.copyFileSync(file, path.join(media, 'two.mp4'));
  await daemon.wait(await daemon.scan(media));
  const [twin] = (await daemon.get('/api/v1/videos?q=two')).body.videos;
  let readings = 0;
  page.on('request', (request) => { readings += /\/api\/v1\/jobs\?/.test(request.url()); });
  say({ event_id: null, type: 'VIDEO_ADDED', timestamp: new Date().toISOString(), correlation_id: null, payload: twin });
  await page.getByRole('link', { name: 'two.mp4' }).waitFor();
  assert.equal(readings, 0, 'everything was read again');
});

test('what the browser cannot decode: it says so, and what to do', async (t) => {
  const { daemon, dir, open } = await start(t);
  const file = makeVideo(path.join(dir, 'media', 'old.avi'), { extra: ['-c:v', 'mpeg4'] });
  await daemon.wait(await daemon.scan(path.join(dir, 'media')));
  const [video] = (await daemon.get('/api/v1/videos')).body.videos;
  const page = await open({ path: `/videos/${video.id}`, prepare: (one) => serveMedia(one, file) });
  await page.locator('.player-why').getByText('This browser cannot play MPEG-4 in avi. Another player can: copy its path, above.').waitFor();
  await page.locator('.player-bar').waitFor({ state: 'hidden' });
  const other = await open({ path: `/videos/${video.id}`, allow: /Failed to load resource/, prepare: async (one) => {
    await serveMedia(one, file);
    await one.route(/\/file$/, (route) => route.fulfill({ status: 410, contentType: 'application/problem+json', json: { status: 410, code: 'FILE_MISSING', detail: 'the file is gone' } }));
  } });
  await other.locator('.player-why').getByText('The server does not give the file: the file is gone.').waitFor();
});

test('why it failed, that it is gone, that it was removed: said while one looks', async (t) => {
  const { daemon, dir, open } = await start(t);
  const media = path.join(dir, 'media');
  const file = makeVideo(path.join(media, 'one.mp4'));
  makeVideo(path.join(media, 'two.mkv'));
  await daemon.wait(await daemon.scan(media));
  const [video] = (await daemon.get('/api/v1/videos?q=one')).body.videos;
  const page = await open({ path: `/videos/${video.id}`, allow: /Failed to load resource.*404/ });
  await page.locator('#video-title').getByText('one.mp4').waitFor();
  assert.equal(await page.locator('.callout').count(), 0);
  fs.writeFileSync(file, 'no video at all\n'.repeat(99));
  fs.utimesSync(file, 1e9, 1e9);
  await daemon.wait(await daemon.scan(media));
  await page.reload();
  await page.locator('.callout[data-tone="bad"]').getByText('its content is of no media format that is known').waitFor();
  fs.rmSync(file);
  await daemon.wait(await daemon.scan(media));
  await page.locator('.callout').getByText('there is nothing at this path').waitFor();
  await page.locator('.player-why').getByText('Its file is gone').waitFor();
  assert.equal((await daemon.request('DELETE', `/api/v1/videos/${video.id}`)).status, 204);
  await page.getByRole('heading', { name: 'The library has no such video.' }).waitFor();
  await page.goto(`${daemon.url}/videos/not-an-id`);
  await page.getByRole('heading', { name: 'The library has no such video.' }).waitFor();
});

test('pictures: placeholders until they are ready, then the pictures, without a reload', async (t) => {
  const { daemon, dir, open } = await start(t);
  const file = makeFilm(path.join(dir, 'media', 'film.webm'));
  await daemon.wait(await daemon.scan(path.join(dir, 'media')));
  const state = {};
  const picture = execFileSync('ffmpeg', ['-nostdin', '-loglevel', 'error', '-i', file, '-frames:v', '1', '-f', 'mjpeg', '-']);
  const page = await open({ prepare: async (one) => {
    await one.route(/\/api\/v1\/videos\?/, async (route) => {
      const answer = await route.fetch();
      const body = await answer.json();
      for (const video of body.videos) Object.assign(video, state.ready ?? { thumbnail: 'pending', thumbnail_url: null });
      await route.fulfill({ response: answer, json: body });
    });
    await one.route(/\/thumbnail\?w=\d+$/, (route) => route.fulfill({ contentType: 'image/jpeg', body: picture }));
    await one.routeWebSocket(/\/ws/, (socket) => {
      const server = socket.connectToServer();
      state.say = (frame) => socket.send(JSON.stringify(frame));
      server.onMessage((message) => socket.send(message));
    });
  } });
  const glyph = page.locator('reeld-grid .glyph-kind');
  await glyph.getByText('WEBM').waitFor();
  assert.equal(await page.locator('reeld-grid img[src]').count(), 0);
  const [video] = (await daemon.get('/api/v1/videos')).body.videos;
  state.ready = { thumbnail: 'ready', thumbnail_url: `/api/v1/videos/${video.id}/thumbnail` }; // whenever the list is read again
  state.say({ event_id: null, type: 'VIDEO_UPDATED', timestamp: new Date().toISOString(), correlation_id: null,
    payload: { ...video, ...state.ready, changed: ['thumbnail'] } });
  await page.locator('reeld-grid img.there').waitFor();
});

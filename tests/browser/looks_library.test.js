// How the library and a video look: pictures at three widths, light and dark, kept in tests/artefacts to be looked at by people; and that nothing
// sticks out, at 200 % zoom too.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { tempDir } from '../lib/daemon.js';
import { assertNotTooWide, pictures } from './looks.js';
import { ITEM, artefacts, assertAccessible, closeBrowser, start } from './page.js';

after(closeBrowser);

const FILMS = [
  ['Films/Night Harbour (2018).mkv', 'mandelbrot', '1920x800', ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-color_primaries', 'bt2020', '-color_trc', 'smpte2084', '-colorspace', 'bt2020nc']],
  ['Films/Die fabelhafte Welt der Amélie.mp4', 'testsrc2', '1280x720', []], ['Films/千と千尋の神隠し (2001).webm', 'smptehdbars', '854x480', ['-c:v', 'libvpx', '-c:a', 'libvorbis']],
  ['Series/Chef’s Table/S01E01 – The long and winding name of the very first episode of it all.mov', 'mandelbrot', '1280x720', []],
  ['Series/Chef’s Table/S01E02.mov', 'testsrc', '1280x720', []], ['Home/Crete 2019/GOPR0012.mp4', 'mandelbrot', '640x360', []],
  ['Home/Crete 2019/portrait.mp4', 'testsrc2', '360x640', []], ['Home/VHS/tape 3, side A.avi', 'smptebars', '320x240', ['-c:v', 'mpeg4']],
  ['Recordings/News 20:00.ts', 'testsrc2', '720x576', ['-c:v', 'mpeg2video', '-c:a', 'mp2']], ['Recordings/Concert <live> & more.mpg', 'mandelbrot', '352x288', ['-c:v', 'mpeg2video', '-c:a', 'mp2']],
  ['Old/clip.flv', 'testsrc', '320x240', ['-c:v', 'flv', '-ar', '44100']], ['Old/evil \u202egpj.mp4', 'smptebars', '320x240', []], ['Old/gone.mp4', 'testsrc', '320x240', []],
];

let library;

/** Once a process: the films, and a picture of each as the server would make it. */
function films() {
  if (library) return library;
  const dir = tempDir();
  process.on('exit', () => fs.rmSync(dir, { recursive: true, force: true }));
  const pictures = new Map();
  for (const [name, pattern, size, extra] of FILMS) {
    const file = path.join(dir, 'media', name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    execFileSync('ffmpeg', ['-nostdin', '-loglevel', 'error', '-y', '-f', 'lavfi', '-i', `${pattern}=size=${size}:rate=5`, '-f', 'lavfi', '-i', 'sine', '-t', '2', ...extra, file]);
    pictures.set(path.basename(name), execFileSync('ffmpeg', ['-nostdin', '-loglevel', 'error', '-i', file, '-frames:v', '1', '-vf', 'scale=480:-2', '-f', 'mjpeg', '-']));
  }
  library = { media: path.join(dir, 'media'), pictures };
  return library;
}

/** Every other video has its picture, as real bytes. */
async function servePictures(page, pictures) {
  await page.route(/\/api\/v1\/videos(\?|\/[0-9a-f-]+$)/, async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    for (const video of body.videos ?? [body]) {
      if (video.filename && FILMS.findIndex(([name]) => path.basename(name) === video.filename) % 4 !== 3) {
        Object.assign(video, { thumbnail: 'ready', thumbnail_url: `/api/v1/videos/${video.id}/thumbnail`, thumbnail_path: null });
        pictures.set(video.id, pictures.get(video.filename));
      }
    }
    await route.fulfill({ response: answer, json: body });
  });
  await page.route(/\/thumbnail\?w=\d+$/, (route) => route.fulfill({ contentType: 'image/jpeg', body: pictures.get(/videos\/([^/]+)/.exec(route.request().url())[1]) }));
  await page.route(/storyboard\.vtt$/, (route) => route.fulfill({ contentType: 'text/vtt', body: 'WEBVTT\n' }));
}

test('pictures of the library and of a video', async (t) => {
  const { media, pictures: real } = films();
  const { daemon, open } = await start(t);
  await daemon.wait(await daemon.scan(media));
  fs.renameSync(path.join(media, 'Old/gone.mp4'), path.join(media, 'Old/gone.mp4.away'));
  try {
    await daemon.wait(await daemon.scan(media));
  } finally {
    fs.renameSync(path.join(media, 'Old/gone.mp4.away'), path.join(media, 'Old/gone.mp4'));
  }
  const page = await open({ prepare: (one) => servePictures(one, real) });
  const look = (what, more) => pictures(page, 'library', what, more);
  const seen = (layout) => page.waitForFunction(([item, place]) => document.querySelectorAll(item).length > 5
    && document.querySelectorAll(`${place} img.there`).length > 3, [ITEM, `reeld-grid[data-layout="${layout}"]`]);
  await seen('grid');
  await look('grid');
  await page.locator(`${ITEM} a`).nth(1).focus();
  await page.keyboard.press('ArrowRight');
  await look('focus');
  await page.getByRole('button', { name: 'Table' }).click();
  await seen('table');
  await look('table');
  await page.getByRole('button', { name: 'Filters' }).click();
  await look('filters', { which: ({ width }) => width < 1000 });
  await page.getByRole('button', { name: 'Filters' }).click();
  await page.goto(`${daemon.url}/?missing=true`);
  await page.locator(ITEM).first().waitFor();
  await look('missing');
  await page.goto(`${daemon.url}/?q=nothing+of+that+name`);
  await page.locator('.empty').and(page.locator(':visible')).waitFor();
  await look('nothing');
  await page.goto(`${daemon.url}/?q=Harbour`);
  await page.locator(`${ITEM} a`).first().click();
  await page.locator('.facts dd').first().waitFor();
  await look('video', { fullPage: true, check: () => assertAccessible(page) });
});

test('at 200 % zoom, and at 400 %: nothing sticks out, and all can be reached', async (t) => {
  const { media } = films();
  const { daemon, open } = await start(t);
  await daemon.wait(await daemon.scan(media));
  const [{ id }] = (await daemon.get('/api/v1/videos?q=Harbour')).body.videos;
  for (const zoom of [2, 4]) {
    for (const place of ['/', '/?view=table', `/videos/${id}`]) {
      const page = await open({ width: 1280 / zoom, height: 900 / zoom, path: place });
      await page.locator(place.startsWith('/videos') ? '.facts dd' : ITEM).first().waitFor();
      await assertNotTooWide(page, `${place} at ${zoom * 100} %`);
      await page.screenshot({ path: path.join(artefacts, `library-zoom-${zoom}-${place.replaceAll(/\W/g, '').slice(0, 9) || 'grid'}.png`) });
    }
  }
});

/** Plays a video in place, where the browser can, and says so where it can't. */

import { Component, el, setAttr, setText } from '../dom.js';
import { container, duration, plainName } from '../format.js';
import { pictureOf } from '../library/shelf.js';
import { codec, glyph, hue } from '../vocabulary.js';

// The storyboard of a video:

/** hh:mm:ss.mmm or mm:ss.mmm, as seconds; NaN: neither. @param {string} text */
function seconds(text) {
  const match = /^(?:(\d+):)?(\d{2}):(\d{2})\.(\d{3})$/.exec(text);
  return match ? Number(match[1] ?? 0) * 3600 + Number(match[2]) * 60 + Number(match[3]) + Number(match[4]) / 1000 : NaN;
}

/** WebVTT with a media fragment (#xywh=) a cue; a cue that is anything else is passed over.
 * @param {string} text @param {string} base the address it came from @returns {Tile[]} */
export function parse(text, base) {
  if (!/^\ufeff?WEBVTT/.test(text)) return [];
  const tiles = [];
  for (const block of text.split(/\r?\n\r?\n/)) {
    const lines = block.split(/\r?\n/);
    const at = lines.findIndex((line) => line.includes('-->'));
    if (at < 0) continue;
    const [start, end] = lines[at].split('-->').map((part) => seconds(part.trim().split(/\s/)[0]));
    const target = /^(.*)#xywh=(?:pixel:)?(\d+),(\d+),(\d+),(\d+)$/.exec((lines[at + 1] ?? '').trim());
    if (!target || !(end > start)) continue;
    const sheet = new URL(target[1] || 'storyboard.jpg', base);
    if (sheet.origin !== location.origin) continue;
    const [x, y, w, h] = target.slice(2).map(Number);
    if (w > 0 && h > 0) tiles.push({ start, end, sheet: sheet.href, x, y, w, h });
  }
  return tiles;
}

/** Reads it; none: the server has none, or not yet. @param {string} id of the video @param {AbortSignal} signal @returns {Promise<Tile[]>} */
export async function read(id, signal) {
  const url = new URL(`/api/v1/videos/${encodeURIComponent(id)}/storyboard.vtt`, location.href).href;
  try {
    const answer = await fetch(url, { signal, credentials: 'same-origin' });
    return answer.ok ? parse(await answer.text(), url) : [];
  } catch {
    return []; // a preview is a convenience; without it the bar still seeks
  }
}

/** @param {Tile[]} tiles @param {number} time */
export const tileAt = (tiles, time) => tiles.find(({ start, end }) => time >= start && time < end) ?? tiles.at(-1) ?? null;

const STEP_S = 5;
const PAGE_S = 30;

/** For the browser's own opinion; only what it is sure to refuse is told beforehand. @type {Words} */
const MIMES = { mp4: 'video/mp4', m4v: 'video/mp4', mov: 'video/mp4', webm: 'video/webm', mkv: 'video/webm', ogg: 'video/ogg', ogv: 'video/ogg' };
/** @type {Words} */
const CODECS = { h264: 'avc1.640028', hevc: 'hvc1.1.6.L120.B0', av1: 'av01.0.08M.08', vp8: 'vp8', vp9: 'vp09.00.40.08', theora: 'theora', mpeg4: 'mp4v.20.9' };

export class Player extends Component {
  /** @type {VideoFull | null} */
  #shown = null;
  /** @type {Tile[]} */
  #tiles = [];
  /** @type {AbortController | null} */
  #reading = null;
  /** @type {string} */
  #failed = '';
  #hovered = NaN;
  #video = el('video', { preload: 'metadata', playsinline: true, tabindex: -1 });
  #kind = el('span', { class: 'glyph-kind' });
  #codec = el('span', { class: 'glyph-codec' });
  #poster = el('img', { alt: '', hidden: true });
  #still = el('div', { class: 'still', 'aria-hidden': 'true' }, el('div', { class: 'glyph' }, this.#kind, this.#codec), this.#poster);
  #cover = el('button', { class: 'cover', 'aria-label': 'Play', onclick: () => this.#toggle() }, el('span', { class: 'cover-play' }));
  #why = el('p', { class: 'player-why', role: 'status', hidden: true });
  #play = el('button', { class: 'plain play', 'aria-label': 'Play', onclick: () => this.#toggle() });
  #mute = el('button', { class: 'plain mute', 'aria-label': 'Mute', onclick: () => {
    this.#video.muted = !this.#video.muted;
  } });
  #full = el('button', { class: 'plain full', 'aria-label': 'Full screen', onclick: () => this.#fullScreen() });
  #time = el('span', { class: 'player-time' });
  #loaded = el('div', { class: 'scrub-loaded' });
  #played = el('div', { class: 'scrub-played' });
  #marks = el('div', { class: 'scrub-marks', 'aria-hidden': 'true' });
  #tile = el('div', { class: 'preview-tile' });
  #tileTime = el('span');
  #preview = el('div', { class: 'preview', hidden: true, 'aria-hidden': 'true' }, this.#tile, this.#tileTime);
  #scrub = el('div', {
    class: 'scrub', role: 'slider', tabindex: 0, 'aria-label': 'Position', 'aria-valuemin': 0,
    onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event),
    onpointerdown: (/** @type {PointerEvent} */ event) => this.#press(event),
    onpointermove: (/** @type {PointerEvent} */ event) => this.#hover(event),
    onpointerleave: () => this.#leave(),
  }, el('div', { class: 'scrub-line' }, this.#loaded, this.#played, this.#marks), this.#preview);
  #bar = el('div', { class: 'player-bar' }, this.#play, this.#scrub, this.#time, this.#mute, this.#full);
  #stage = el('div', { class: 'stage' }, this.#video, this.#still, this.#cover);

  build() {
    for (const event of ['play', 'pause', 'timeupdate', 'durationchange', 'progress', 'volumechange', 'ended', 'seeked']) {
      this.#video.addEventListener(event, () => this.invalidate());
    }
    this.#video.addEventListener('loadedmetadata', () => this.#judge());
    this.#video.addEventListener('error', () => this.#fail());
    this.#video.addEventListener('click', () => this.#toggle());
    // In full screen the bar is not there: the browser's own is.
    this.#stage.addEventListener('fullscreenchange', () => {
      this.#video.controls = document.fullscreenElement === this.#stage;
    });
    this.#poster.onload = () => {
      this.#poster.hidden = false;
    };
    this.append(this.#stage, this.#bar, this.#why);
  }

  disconnectedCallback() {
    this.stop();
  }

  stop() {
    this.#reading?.abort();
    this.#video.pause();
    this.#video.removeAttribute('src');
    this.#video.load();
    this.#shown = null;
  }

  /** @param {VideoFull} video */
  show(video) {
    const before = this.#shown;
    this.#shown = video;
    if (before?.id === video.id && before.file_url === video.file_url && before.missing_since === video.missing_since && before.thumbnail === video.thumbnail) return;
    const [kind, name] = glyph(video);
    setText(this.#kind, kind);
    setText(this.#codec, name);
    this.#stage.style.setProperty('--hue', String(hue(video.filename)));
    const turned = (video.rotation ?? 0) % 180 !== 0;
    const [w, h] = video.width && video.height ? [video.width, video.height] : [16, 9];
    this.#stage.style.setProperty('--ratio', String(turned ? h / w : w / h));
    const picture = pictureOf(video);
    setAttr(this.#poster, 'src', picture);
    if (!picture) this.#poster.hidden = true;
    if (before?.id === video.id && before.file_url === video.file_url && before.missing_since === video.missing_since) return;
    this.#tiles = [];
    this.#failed = '';
    if (video.file_url && !video.missing_since) this.#video.src = video.file_url;
    else this.#video.removeAttribute('src');
    this.#say();
    this.#readTiles(video.id);
    this.invalidate();
  }

  /** @param {string} id */
  async #readTiles(id) {
    this.#reading?.abort();
    const reading = new AbortController();
    this.#reading = reading;
    if (!this.#shown?.thumbnail_url) return; // where there are no pictures, there are no small ones
    const tiles = await read(id, reading.signal);
    if (!reading.signal.aborted) this.#tiles = tiles;
  }

  /** @param {number} time */
  playFrom(time) {
    this.#seek(time);
    this.#start();
  }

  get #length() {
    const { duration: length } = this.#video;
    return Number.isFinite(length) && length > 0 ? length : this.#shown?.duration_s ?? 0;
  }

  get #playable() {
    return this.#video.hasAttribute('src') && !this.#failed;
  }

  #start() {
    if (!this.#playable) return;
    this.#video.play().catch(() => {}); // an error event says why; an interrupted start is none
  }

  #toggle() {
    if (this.#video.paused) this.#start();
    else this.#video.pause();
  }

  #fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.#stage.requestFullscreen?.().catch(() => {}); // the browser forbids it; it plays on in its place
  }

  /** @param {number} time */
  #seek(time) {
    if (this.#playable) this.#video.currentTime = Math.max(0, Math.min(time, this.#length));
    this.invalidate();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { currentTime } = this.#video;
    /** @type {Record<string, number>} */
    const steps = {
      ArrowLeft: currentTime - STEP_S, ArrowDown: currentTime - STEP_S, ArrowRight: currentTime + STEP_S, ArrowUp: currentTime + STEP_S,
      PageDown: currentTime - PAGE_S, PageUp: currentTime + PAGE_S, Home: 0, End: this.#length,
    };
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === ' ' || event.key === 'Enter') this.#toggle();
    else if (Object.hasOwn(steps, event.key)) this.#seek(steps[event.key]);
    else return;
    event.preventDefault();
    this.#hovered = this.#video.currentTime;
  }

  /** @param {PointerEvent} event */
  #timeOf(event) {
    const { left, width } = this.#scrub.getBoundingClientRect();
    return Math.max(0, Math.min((event.clientX - left) / width, 1)) * this.#length;
  }

  /** @param {PointerEvent} event */
  #press(event) {
    this.#scrub.setPointerCapture(event.pointerId);
    this.#seek(this.#timeOf(event));
  }

  /** @param {PointerEvent} event */
  #hover(event) {
    this.#hovered = this.#timeOf(event);
    if (event.buttons & 1) this.#seek(this.#hovered);
    this.invalidate();
  }

  #leave() {
    this.#hovered = NaN;
    this.invalidate();
  }

  #judge() {
    const video = this.#shown;
    if (video?.video_codec && this.#video.videoWidth === 0) {
      this.#say(`This browser plays only the sound of it: it cannot decode ${codec(video.video_codec)}.`);
    }
    this.invalidate();
  }

  async #fail() {
    const video = this.#shown;
    const { error } = this.#video;
    if (!video || !error || !this.#video.hasAttribute('src')) return;
    const refusal = error.code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED ? await this.#refusal(video) : '';
    if (this.#shown?.id !== video.id) return;
    const what = `${video.video_codec ? codec(video.video_codec) : 'its video'} in ${container(video.container, video.filename)}`;
    this.#failed = refusal || (error.code === MediaError.MEDIA_ERR_NETWORK
      ? 'The file could not be read to its end: the connection, or the disk that it is on, gave out.'
      : `This browser cannot play ${what}. Another player can: copy its path, above.`);
    this.#say();
    this.invalidate();
  }

  /** @param {VideoFull} video */
  async #refusal(video) {
    try {
      const answer = await fetch(/** @type {string} */ (video.file_url), { headers: { Range: 'bytes=0-0' }, credentials: 'same-origin' });
      await (answer.ok ? answer.body?.cancel() : null);
      if (answer.ok) return '';
      const problem = await answer.json().catch(() => null);
      return `The server does not give the file: ${problem?.detail ?? `it answered ${answer.status}`}.`;
    } catch {
      return 'The server did not answer when it was asked for the file.';
    }
  }

  /** @param {string} [hint] */
  #say(hint = '') {
    const video = this.#shown;
    let text = hint || this.#failed;
    if (video && !text) {
      if (video.missing_since) text = 'Its file is gone, so there is nothing to play. What is known of it stays.';
      else if (!video.file_url) text = 'This server does not give out the files themselves, so it cannot be played here.';
      else if (this.#refused(video)) text = `This browser will probably not play it: it does not decode ${codec(video.video_codec)}.`;
    }
    setText(this.#why, text);
    this.#why.hidden = !text;
  }

  /** @param {VideoFull} video */
  #refused(video) {
    const mime = MIMES[container(video.container, video.filename)];
    const name = CODECS[video.video_codec ?? ''];
    return Boolean(mime && name) && this.#video.canPlayType(`${mime}; codecs="${name}"`) === '';
  }

  update() {
    const video = this.#video;
    const length = this.#length;
    const playable = this.#playable;
    const time = playable ? video.currentTime : 0;
    this.#bar.hidden = !playable;
    const begun = playable && (time > 0 || !video.paused);
    this.#still.hidden = begun;
    this.#cover.hidden = begun || !playable;
    this.classList.toggle('playing', !video.paused);
    setAttr(this.#play, 'aria-label', video.paused ? 'Play' : 'Pause');
    setAttr(this.#mute, 'aria-label', video.muted ? 'Unmute' : 'Mute');
    this.classList.toggle('muted', video.muted);
    setText(this.#time, `${duration(time)} / ${duration(length)}`);
    this.#played.style.transform = `scaleX(${length > 0 ? time / length : 0})`;
    const { buffered } = video;
    this.#loaded.style.transform = `scaleX(${length > 0 && buffered.length > 0 ? buffered.end(buffered.length - 1) / length : 0})`;
    setAttr(this.#scrub, 'aria-valuemax', String(Math.round(length)));
    setAttr(this.#scrub, 'aria-valuenow', String(Math.round(time)));
    setAttr(this.#scrub, 'aria-valuetext', `${duration(time)} of ${duration(length)}`);
    this.#showMarks(length);
    this.#showPreview(length);
  }

  /** @param {number} length */
  #showMarks(length) {
    const starts = (this.#shown?.chapters ?? []).map(({ start_s }) => start_s ?? 0).filter((start) => start > 0 && start < length);
    const key = `${length} ${starts}`;
    if (this.#marks.dataset.key === key) return;
    this.#marks.dataset.key = key;
    this.#marks.replaceChildren(...starts.slice(0, 200).map((start) => {
      const mark = el('span');
      mark.style.left = `${(start / length) * 100}%`;
      return mark;
    }));
  }

  /** @param {number} length */
  #showPreview(length) {
    const time = this.#hovered;
    this.#preview.hidden = Number.isNaN(time) || length <= 0;
    if (this.#preview.hidden) return;
    const tile = tileAt(this.#tiles, time);
    this.#tile.hidden = !tile;
    if (tile) {
      const { style } = this.#tile;
      style.width = `${tile.w}px`;
      style.height = `${tile.h}px`;
      style.backgroundImage = `url("${tile.sheet}")`;
      style.backgroundPosition = `-${tile.x}px -${tile.y}px`;
    }
    const chapter = (this.#shown?.chapters ?? []).findLast(({ start_s }) => (start_s ?? 0) <= time)?.title;
    setText(this.#tileTime, chapter ? `${duration(time)} · ${plainName(chapter)}` : duration(time));
    const half = (tile?.w ?? 80) / 2;
    const { clientWidth } = this.#scrub;
    this.#preview.style.left = `${Math.max(half, Math.min((time / length) * clientWidth, clientWidth - half))}px`;
  }
}

customElements.define('reeld-player', Player);

/** One video: playing, all that is known of it, why it failed, and what else has its content. */

import { Component, copyButton, el, keepFocus, setText } from '../dom.js';
import { baseName, container, count, dateTime, dirName, duration, jsonLines, moment, nameNode, pathNode, plainName, resolution, sentence, size, wordsOf } from '../format.js';
import { videoHref } from '../shell.js';
import { Player } from './player.js';
import { codec, hdr, language } from '../vocabulary.js';

/** @type {Words} */
const KINDS = { video: 'Video', audio: 'Sound', subtitle: 'Subtitles', data: 'Data', attachment: 'Attachments', unknown: 'Other' };

/** A ratio as a number that people use: 23.976. @param {string | null | undefined} ratio */
function number(ratio) {
  const [over, under] = (ratio ?? '').split('/').map(Number);
  return over > 0 && under > 0 ? String(Number((over / under).toFixed(3))) : '';
}

/** @param {number | null | undefined} rate bits a second */
export function bitRate(rate) {
  if (!rate) return '';
  return rate >= 1e6 ? `${Number((rate / 1e6).toFixed(rate < 1e7 ? 2 : 1))} Mbit/s` : `${count(Math.round(rate / 1000))} kbit/s`;
}

/** @param {VideoFull} video @returns {[string, string][]} */
function facts(video) {
  const rate = video.frame_rate_numerator ? `${video.frame_rate_numerator}/${video.frame_rate_denominator}` : null;
  /** @type {[string, string | number | null | undefined][]} */
  const all = [
    ['Title', video.title],
    ['Duration', video.duration_s == null ? '' : `${duration(video.duration_s)} (${Number(video.duration_s.toFixed(3))} s)`],
    ['Frames', video.duration_frames ? count(video.duration_frames) : ''],
    ['Frame rate', number(rate) && `${number(rate)} a second (${rate})`],
    ['Resolution', video.width ? `${resolution(video)}${video.rotation ? ` (turned by ${video.rotation}°)` : ''}` : ''],
    ['Dynamic range', video.hdr ? hdr(video.hdr) : ''],
    ['Video codec', video.video_codec && codec(video.video_codec)],
    ['Audio codec', video.audio_codec && codec(video.audio_codec)],
    ['Container', video.container && `${container(video.container, video.filename)} (${video.container})`],
    ['Bit rate', bitRate(video.bit_rate)],
    ['Size', `${size(video.file_size)} (${count(video.file_size)} bytes)`],
    ['Taken', video.taken_at && dateTime(video.taken_at)],
    ['File changed', video.modified_at && dateTime(video.modified_at)],
    ['Added', dateTime(video.created_at)],
    ['Last change here', dateTime(video.updated_at)],
    ['Missing since', video.missing_since && dateTime(video.missing_since)],
    ['Id', video.id],
  ];
  return all.filter(([, value]) => value).map(([label, value]) => [label, plainName(String(value))]);
}

/** @param {VideoFull} video */
export const factList = (video) => el('dl', { class: 'facts' }, ...facts(video).map(([label, value]) => el('div', {}, el('dt', { text: label }), el('dd', { text: value }))));

/** A table that can be wider than the page, and then scrolls by itself. @param {string} caption @param {string[]} head @param {(Node | string)[][]} body */
function table(caption, head, body) {
  // A column in which nothing stands is left out.
  const used = head.map((_, at) => body.some((row) => (typeof row[at] === 'string' ? row[at] !== '' : true)));
  const cells = (/** @type {(Node | string)[]} */ row) => row.filter((_, at) => used[at]);
  return el('div', { class: 'table-box', tabindex: 0, role: 'region', 'aria-label': caption }, el('table', {},
    el('caption', { text: caption }),
    el('thead', {}, el('tr', {}, ...cells(head).map((text) => el('th', { scope: 'col' }, text)))),
    el('tbody', {}, ...body.map((row) => el('tr', {}, ...cells(row).map((text) => el('td', {}, text)))))));
}

/** @param {Stream} stream */
function about(stream) {
  const depth = stream.bit_depth ? `${stream.bit_depth} bit` : '';
  const colour = [...new Set([stream.color_primaries, stream.color_transfer, stream.color_space, stream.color_range].filter(Boolean))].join(', ');
  const sample = stream.sample_aspect_ratio && !['1/1', '0/1'].includes(stream.sample_aspect_ratio) ? stream.sample_aspect_ratio.replace('/', ':') : '';
  return {
    size: stream.width ? `${stream.width}×${stream.height}` : '', rate: number(stream.average_frame_rate) || number(stream.frame_rate), depth, colour, sample,
    turned: stream.rotation ? `${stream.rotation}°` : '', sound: [stream.channels && `${stream.channels}`, stream.channel_layout].filter(Boolean).join(' – '),
    sample_rate: stream.sample_rate ? `${count(stream.sample_rate)} Hz` : '',
  };
}

/** A table for each kind of stream. @param {VideoFull} video */
export function streamTables({ streams }) {
  return Object.entries(KINDS).flatMap(([kind, title]) => {
    const of = streams.filter((stream) => stream.kind === kind || (kind === 'unknown' && !Object.hasOwn(KINDS, stream.kind)));
    if (of.length === 0) return [];
    const head = ['#', 'Codec', 'Profile', 'Language', 'Title', 'Size', 'Pixel shape', 'Turned', 'Frames a second', 'Pixels', 'Depth', 'Colour', 'HDR', 'Channels', 'Sampling', 'Bit rate', 'Duration', 'Frames', 'Flags'];
    const body = of.map((stream) => {
      const { size: picture, rate, depth, colour, sample, turned, sound, sample_rate } = about(stream);
      return [String(stream.index), codec(stream.codec), stream.profile ?? '', stream.language && stream.language !== 'und' ? language(stream.language) : '', stream.title ? nameNode(stream.title) : '',
        picture, sample, turned, rate, stream.pixel_format ?? '', depth, colour, stream.hdr ? hdr(stream.hdr) : '', sound, sample_rate, bitRate(stream.bit_rate),
        stream.duration_s == null ? '' : duration(stream.duration_s), stream.frames ? count(stream.frames) : '', stream.disposition.join(', ').replaceAll('_', ' ')];
    });
    return [table(title, head, body)];
  });
}

/** @param {VideoFull} video @param {(start: number) => void} play */
export function chapterTable({ chapters }, play) {
  if (chapters.length === 0) return null;
  return table('Chapters', ['#', 'From', 'To', 'Title'], chapters.map((/** @type {Chapter} */ { start_s, end_s, title }, at) => [
    String(at + 1),
    start_s == null ? '–' : el('button', { class: 'plain chapter', text: duration(start_s), 'aria-label': `Play from ${duration(start_s)}`, onclick: () => play(start_s) }),
    duration(end_s), title ? nameNode(title) : '',
  ]));
}

const AGAIN_MS = 500;

/** @param {Video} video */
function folderHref(video) {
  const { path, path_uri } = video;
  return path_uri ? `/?folder_uri=${encodeURIComponent(dirName(path_uri))}` : `/?folder=${encodeURIComponent(dirName(path))}`;
}

export class VideoView extends Component {
  /** @type {Api} */
  #api;
  /** @type {Router} */
  #router;
  #id = '';
  /** @type {VideoFull | null} */
  #video = null;
  /** @type {Explanation | null} */
  #explanation = null;
  /** @type {Video[]} */
  #twins = [];
  #twinsTotal = 0;
  #problem = '';
  /** The server was asked, and has no such video. */
  #unknown = false;
  /** @type {AbortController | null} */
  #reading = null;
  /** @type {Timer} */
  #again;
  #drawn = '';
  #link = el('a', {
    class: 'button back', href: '/', text: '← Library', onclick: (/** @type {MouseEvent} */ event) => {
      if (!event.ctrlKey && !event.metaKey && !event.shiftKey) this.#back(event);
    },
  });
  #title = el('h2', { id: 'video-title' });
  #where = el('p', { class: 'video-where' });
  #copyPath = copyButton('Copy path', () => this.#video?.path ?? '');
  #marks = el('p', { class: 'video-marks' });
  #says = el('div', { class: 'video-says', role: 'status' });
  #player = new Player();
  #facts = el('div', { class: 'panel' });
  #streams = el('div', { class: 'panel tables' });
  #duplicates = el('div', { class: 'panel', hidden: true });
  #json = el('pre', { tabindex: 0, 'aria-label': 'The answer of the server' });
  #raw = el('details', { class: 'panel raw', ontoggle: () => this.#showRaw() }, el('summary', { text: 'Raw JSON' }),
    el('div', { class: 'raw-actions' }, copyButton('Copy JSON', () => JSON.stringify(this.#video, null, 2))), this.#json);
  #body = el('div', { class: 'video-body', hidden: true },
    el('div', { class: 'video-main' }, this.#player, this.#says, this.#streams, this.#raw),
    el('div', { class: 'video-side' }, this.#facts, this.#duplicates));

  /** @param {Api} api @param {Router} router */
  connect(api, router) {
    this.#api = api;
    this.#router = router;
    this.append(
      el('header', { class: 'video-head' },
        this.#link,
        el('div', { class: 'video-names' }, this.#title, this.#where), this.#marks, this.#copyPath),
      this.#body);
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.#id && !event.defaultPrevented && !document.fullscreenElement && !document.querySelector('dialog[open]')) this.#back(event);
    });
    router.addEventListener('change', () => this.#arrive());
    this.#arrive();
  }

  /** To where one came from, if that was the library: it is as it was. @param {Event} event */
  #back(event) {
    event.preventDefault();
    if (history.state?.from === 'library') history.back();
    else this.#router.go(this.#link.href);
  }

  #arrive() {
    const { view, id } = this.#router.place;
    if (view !== 'video') {
      this.#leave();
      return;
    }
    if (id === this.#id) return;
    this.#leave();
    this.#id = id;
    document.title = 'Video – reeld';
    setText(this.#title, 'Reading…');
    this.#read().catch(() => {}); // said in its place
  }

  #leave() {
    this.#id = '';
    this.#problem = '';
    this.#unknown = false;
    this.#reading?.abort();
    clearTimeout(this.#again);
    this.#again = undefined;
    this.#empty();
  }

  /** Nothing is left of the video that was shown, nor goes on where nobody sees it. */
  #empty() {
    this.#video = null;
    this.#explanation = null;
    this.#twins = [];
    this.#twinsTotal = 0;
    this.#drawn = '';
    this.#raw.open = false;
    this.#player.stop();
    if (this.contains(document.fullscreenElement)) document.exitFullscreen().catch(() => {}); // it is over already
    keepFocus(this, () => {
      this.#where.replaceChildren();
      this.#marks.replaceChildren();
      this.#body.hidden = true;
      this.#copyPath.hidden = true;
    });
  }

  /** Throws when it can't. */
  async refresh() {
    if (this.#id) await this.#read();
  }

  async #read() {
    this.#reading?.abort();
    const reading = new AbortController();
    this.#reading = reading;
    const { signal } = reading;
    try {
      const video = await this.#api.video(this.#id, signal);
      if (signal.aborted) return;
      this.#video = video;
      this.#problem = '';
      this.#unknown = false;
      this.invalidate();
      const [explanation, twins] = await Promise.all([
        this.#api.explain({ path: video.path, path_uri: video.path_uri }, signal).catch(() => null),
        this.#api.duplicates(this.#id, signal).catch(() => null),
      ]);
      if (signal.aborted) return;
      this.#explanation = explanation;
      this.#twins = twins?.videos ?? [];
      this.#twinsTotal = twins?.total ?? 0;
    } catch (error) {
      if (signal.aborted) return;
      const status = /** @type {any} */ (error).status;
      this.#unknown = status === 404 || status === 400;
      this.#problem = this.#unknown
        ? 'The library has no such video. It may have been removed.'
        : `It could not be read: ${wordsOf(error)}`;
      if (status === 404) this.#empty();
      this.invalidate();
      if (!this.#unknown) throw error;
    }
    this.invalidate();
  }

  /** @param {Frame} frame */
  hear({ type, payload }) {
    if (!this.#id || !type.startsWith('VIDEO_')) return;
    // The same content has the same size: another of this size may be a duplicate.
    const near = this.#video !== null && payload.file_size === this.#video.file_size;
    if (payload.id !== this.#id && !near && !this.#twins.some(({ id }) => id === payload.id)) return;
    this.#again ??= setTimeout(() => {
      this.#again = undefined;
      this.#read().catch(() => {}); // said in its place
    }, AGAIN_MS);
  }

  update() {
    if (!this.#id) return;
    const video = this.#video;
    this.#body.hidden = !video;
    this.#copyPath.hidden = !video;
    this.#saySo(video);
    if (!video) {
      if (this.#problem) {
        setText(this.#title, this.#problem);
        document.title = this.#unknown ? 'No such video – reeld' : 'Video – reeld';
      }
      return;
    }
    this.#player.show(video);
    const drawn = JSON.stringify([video, this.#twins]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    document.title = `${plainName(baseName(video.path))} – reeld`;
    this.#title.replaceChildren(nameNode(baseName(video.path)));
    this.#where.replaceChildren(el('a', { href: folderHref(video), 'aria-label': `All videos in ${plainName(dirName(video.path))}` }, pathNode(dirName(video.path))));
    const marks = [duration(video.duration_s), resolution(video), video.video_codec ? codec(video.video_codec) : '–', video.hdr ? hdr(video.hdr) : '–',
      video.subtitle_count ? 'CC' : '–', size(video.file_size)].filter((text) => text !== '–');
    this.#marks.replaceChildren(...marks.map((text) => el('span', { class: 'badge', text })));
    this.#facts.replaceChildren(el('h3', { text: 'Facts' }), factList(video));
    const chapters = chapterTable(video, (start) => this.#player.playFrom(start));
    this.#streams.replaceChildren(el('h3', { text: 'Streams' }), ...streamTables(video), ...(chapters ? [chapters] : []));
    this.#showTwins();
    this.#showRaw();
  }

  #showRaw() {
    if (this.#raw.open && this.#video) setText(this.#json, jsonLines(this.#video));
  }

  /** What is wrong with it, if anything is. @param {VideoFull | null} video */
  #saySo(video) {
    const found = this.#explanation;
    /** @type {[string, string][]} */
    const said = [];
    if (video && this.#problem) said.push(['warn', this.#problem]);
    if (video && found && found.path === video.path) {
      const bad = found.code !== null || found.status === 'missing';
      if (bad || found.status !== 'indexed' || found.changed) said.push([bad ? 'bad' : 'warn', sentence(plainName(found.message))]);
    } else if (video?.missing_since) said.push(['bad', `Its file is gone since ${moment(video.missing_since)}.`]);
    const key = JSON.stringify(said);
    if (this.#says.dataset.key === key) return;
    this.#says.dataset.key = key;
    this.#says.replaceChildren(...said.map(([tone, text]) => el('p', { class: 'callout', 'data-tone': tone, text })));
  }

  #showTwins() {
    const twins = this.#twins;
    this.#duplicates.hidden = twins.length === 0;
    if (twins.length === 0) return;
    this.#duplicates.replaceChildren(el('h3', { text: `The same content (${this.#twinsTotal})` }), el('ul', { class: 'twins' },
      ...twins.map((twin) => el('li', {}, el('a', { href: videoHref(twin.id) }, nameNode(baseName(twin.path))), el('span', { class: 'hint' }, pathNode(dirName(twin.path)))))));
  }
}

customElements.define('reeld-video', VideoView);

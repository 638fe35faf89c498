/** Puts the page together: the parts that know things, the parts that show them, and who tells whom. */

import { Channel } from './channel.js';
import { find } from './dom.js';
import { Jobs, Roots } from './jobs.js';
import { LibraryView } from './library/view.js';
import { openApi } from './server.js';
import { ConnectionStatus, Help, listen, Notices, Router, ScansNews, Shell, TokenDialog } from './shell.js';
import { isKnownEvent, rootReason } from './vocabulary.js';

const MISSED_MAX = 2000;

const router = new Router();
const shell = new Shell(router);
router.start();

const notices = find('reeld-notices', Notices);
const tokenDialog = new TokenDialog();
const help = new Help();
document.body.append(tokenDialog, help);

const api = openApi((why) => tokenDialog.ask(why), () => {
  notices.say('locked', 'This server asks for a token; without it nothing can be read.', {
    label: 'Enter the token',
    act() {
      api.unlock();
      channel.retry();
    },
  });
});
const jobs = new Jobs(api);
const roots = new Roots(api);
const library = find('reeld-library', LibraryView);
/** @type {import('./video/view.js').VideoView | null} */
let video = null;
/** @type {import('./activity/view.js').ActivityView | null} */
let activity = null;
/** What came before that view was there. @type {FrameEvent[]} */
const missed = [];

/** The views that are not needed for a first look. @type {Record<string, () => Promise<void>>} */
const LATER = {
  async video() {
    const { VideoView } = await import('./video/view.js');
    video = find('reeld-video', VideoView);
    video.connect(api, router);
  },
  async scans() {
    const [{ JobList }, { DirectoryDialog, RootList, ScanForm }] = await Promise.all([import('./scans/list.js'), import('./scans/start.js')]);
    const dialog = new DirectoryDialog();
    document.body.append(dialog);
    dialog.connect(api);
    const form = find('reeld-scan-form', ScanForm);
    form.connect(jobs, dialog);
    find('reeld-roots', RootList).connect(api, roots, (place) => form.scan(place));
    find('reeld-jobs', JobList).connect(api, jobs, roots);
  },
  async activity() {
    const { ActivityView } = await import('./activity/view.js');
    activity = find('reeld-activity', ActivityView);
    for (const event of missed.splice(0)) activity.hear(event);
  },
};
/** @type {Set<string>} */
const opened = new Set();

/** Safari has no word for it. @type {(work: () => void) => void} */
const whenIdle = 'requestIdleCallback' in window ? (work) => requestIdleCallback(work, { timeout: 2000 }) : (work) => setTimeout(work, 500);

function openHelp() {
  help.open(library.keepFocus());
}

/** Fetches a view, once. @param {string} view */
function open(view) {
  if (opened.has(view) || !Object.hasOwn(LATER, view)) return;
  opened.add(view);
  LATER[view]().catch(() => {
    opened.delete(view);
    if (router.place.view !== view) return;
    notices.say('view', 'This part of the page could not be fetched: the server did not answer.', { label: 'Load the page again', act: () => location.reload() });
  });
}

/** Of each folder that is out of reach, the reason that was said: who closed the notice is not told again. @type {Map<string, string>} */
const reasons = new Map();

/** @param {string} root its path @param {boolean} online @param {string | null} [reason] */
function sayRoot(root, online, reason) {
  const why = rootReason(reason);
  if (online) {
    reasons.delete(root);
    notices.clear(`root ${root}`);
  } else if (reasons.get(root) !== why) {
    reasons.set(root, why);
    notices.say(`root ${root}`, `A folder is out of reach, and nothing of it is changed until it is back: ${root} – ${why}`);
  }
}

async function refreshRoots() {
  for (const root of await roots.refresh()) sayRoot(root.path, root.online, root.reason);
}

async function refresh() {
  await Promise.all([jobs.refresh(), library.refresh(), video?.refresh(), refreshRoots()]);
  notices.clear('locked');
  // What is looked at comes first; then the other views, so that they are here even when the server is away.
  whenIdle(() => Object.keys(LATER).forEach(open));
}

const channel = new Channel(api, refresh, () => jobs.busy());

/** Types that were met and are not known: said once each. @type {Set<string>} */
const strange = new Set();

channel.addEventListener('frame', (event) => {
  /** @type {Frame} */
  const frame = /** @type {CustomEvent} */ (event).detail;
  if (!isKnownEvent(frame.type) && !strange.has(frame.type) && strange.size < 50) {
    strange.add(frame.type);
    notices.say('strange', `The server sent news that this page does not know (${[...strange].join(', ')}). `
      + 'What is shown was read again; reload the page if the server was updated.');
    channel.readSoon();
  } else if (frame.type === 'ERROR') {
    notices.say('channel', `The channel reports: ${frame.payload.message ?? frame.payload.code}`);
  } else if (frame.type === 'ROOT_OFFLINE') {
    sayRoot(frame.payload.root, false, frame.payload.reason);
  } else if (frame.type === 'ROOT_ONLINE') {
    sayRoot(frame.payload.root, true);
  }
  jobs.hear(frame);
  library.hear(frame);
  video?.hear(frame);
  roots.hear(frame);
  if (activity) activity.hear(/** @type {FrameEvent} */ (event));
  else if (missed.length < MISSED_MAX) missed.push(/** @type {FrameEvent} */ (event));
});

find('reeld-connection', ConnectionStatus).connect(channel);
find('reeld-scans-news', ScansNews).connect(jobs);
channel.addEventListener('resync', () => jobs.forget());
channel.addEventListener('mode', () => jobs.setStale(['reconnecting', 'locked'].includes(channel.mode)));
library.connect(api, router);
open(router.place.view);
router.addEventListener('change', () => open(router.place.view));
find('#help', HTMLButtonElement).onclick = openHelp;
listen({
  '?': openHelp,
  '/': () => {
    if (router.place.view !== 'library') router.go(shell.library);
    library.focusSearch();
  },
  1: () => router.go(shell.library),
  2: () => router.go('/scans'),
  3: () => router.go('/activity'),
});
channel.start();

// What GET /explain must say of every path: of what is on the disk, and of what was there.
import assert from 'node:assert/strict';
import { nameOf, said, show, uriOf } from './paths.js';

/** The words that are right for a path; after a scan of everything that was complete, there is one but for a few. */
export function rightWords({ disk, rows, at, scanned, verdictOf }, path) {
  const entry = disk.get(path);
  // What lists show comes first.
  if (at.has(path)) return ['indexed'];
  if (rows.some((one) => one.path === path && one.missing)) return ['missing'];
  if (!disk.canLook(path)) return ['unreadable', 'ignored', 'not_a_video', 'failed'];
  if (!entry) return ['not_found'];
  if (entry.kind === 'link') return ['link', ...(entry.ignored ? ['ignored'] : [])];
  if (entry.ignored) return ['ignored'];
  if (entry.kind === 'folder') return ['folder', ...(entry.readable ? [] : ['unreadable']), ...(disk.get(`${path}/.nomedia`) ? ['ignored'] : [])];
  if (!entry.wanted) return ['not_a_video'];
  if (entry.kind !== 'file') return ['not_a_file'];
  if (!scanned) return null;
  const shut = entry.readable ? [] : ['unreadable', 'failed', 'not_scanned'];
  const judged = verdictOf(entry);
  if (judged.kind === 'video') return shut; // every one that can be read is in the catalogue
  if (judged.kind === 'text') return ['not_media', ...shut];
  return ['failed', ...shut, ...(judged.kind === 'either' ? ['not_media'] : [])];
}

export async function checkExplained(daemon, known) {
  const paths = new Set([...known.disk.entries.keys(), ...known.rows.map(({ path }) => path)]);
  for (const path of paths) {
    const { status, body } = await daemon.get(`/api/v1/explain?path_uri=${encodeURIComponent(uriOf(path))}`);
    assert.equal(status, 200, `${show(path)}: ${JSON.stringify(body)}`);
    const right = rightWords(known, path);
    const row = known.at.get(path);
    if (right) assert.ok(right.includes(body.status), `explain ${show(path)} says ${JSON.stringify(body)}; right: ${right}`);
    if (body.status === 'indexed') assert.equal(body.video_id, row?.id, `explain ${show(path)}`);
    if (body.status === 'missing') assert.ok(known.rows.some((one) => one.path === path && one.id === body.video_id), `explain ${show(path)}: ${body.video_id}`);
    if (body.status === 'failed') assert.match(body.code, /^[A-Z_]+$/);
    if (body.status === 'ignored' && known.disk.get(path)?.ignored) checkRule(known.disk.get(path), body);
    assert.ok(body.message.length > 10, `explain ${show(path)} has a sentence`);
  }
}

function checkRule({ path, ignored }, { rule }) {
  assert.ok(rule, `explain ${show(path)} names the rule`);
  if (ignored.file === null && ignored.pattern !== '.nomedia') {
    assert.equal(rule.line, null, `explain ${show(path)}`);
    assert.equal(rule.pattern, ignored.pattern === '.*' && nameOf(path).startsWith('.Trash-') ? '.Trash-*' : ignored.pattern);
  } else if (ignored.line) {
    assert.equal(rule.line, ignored.line, `explain ${show(path)}: ${JSON.stringify(rule)}`);
    assert.equal(said({ path: rule.file, path_uri: rule.file_uri }), ignored.file);
  }
}

// What a dry run must say, before the scan that does it: what the stamps alone tell, since it opens no file.
import assert from 'node:assert/strict';
import { sameStamp } from './disk.js';
import { inScope } from './expectation.js';
import { said, show } from './paths.js';

const text = (outcome, path, from) => [outcome, show(path), ...(from ? [show(from)] : [])].join(' ');

/** Of a file that a worker would look into. */
function probedLines(expectation, { path, own }, moved) {
  // What was missing at this very path comes back with its new content, unless it was found elsewhere.
  const here = [...expectation.before.values()].filter((row) => row.path === path && (row === own || row.missing));
  const stay = here.filter((row) => !moved(row));
  if (stay.length === 0) return [text('new', path)];
  // Of several the plan looks at the one that was there last.
  return stay.includes(own) || here.length === 1 ? [text('updated', path)] : [text('updated', path), text('new', path)];
}

/** For one file: the lines that are right, one of which must be there; '' is none. */
function linesOf(expectation, file, remembered, moved) {
  const { path, same, kind, stamp } = file;
  if (same) return expectation.failedOnce.has(path) ? ['', text('updated', path)] : [''];
  if (kind !== 'file') return [''];
  const claims = expectation.claims(file).stamp;
  const rivals = expectation.files.filter((one) => one !== file && !one.same && sameStamp(one.stamp, stamp));
  const moves = claims.map((row) => (row.path === path ? text('updated', path) : text('moved', path, row.path)));
  const probed = probedLines(expectation, file, moved);
  if (moves.length && rivals.length < claims.length) return moves;
  const seen = file.judged.kind !== 'video' && remembered(file) ? [''] : [];
  return [...moves, ...probed, ...seen];
}

/**
 * @param {import('./expectation.js').Expectation} expectation of the scan that follows
 * @param {(file: object) => boolean} remembered whether the file may be known to be bad
 */
export function checkPlan(expectation, job, remembered) {
  const { result } = job;
  const plan = result.plan.map((line) => ({ ...line, path: said(line), from: line.from == null ? null : said({ path: line.from, path_uri: line.from_uri }) }));
  const listed = new Map();
  for (const { outcome, path, from } of plan) listed.set(path, [...(listed.get(path) ?? []), text(outcome, path, from)]);
  const at = new Map(expectation.files.map((file) => [file.path, file]));
  // Which video a line is of: one that is missing may share its old path with one that is there.
  const moved = (row) => plan.some(({ outcome, path, from }) => outcome === 'moved' && from === row.path && at.has(path)
    && sameStamp(at.get(path).stamp, row.stamp));
  for (const file of expectation.files) {
    const lines = (listed.get(file.path) ?? []).filter((line) => !line.startsWith('missing'));
    assert.ok(lines.length <= 1, `${show(file.path)} has one line: ${lines}`);
    const right = linesOf(expectation, file, remembered, moved);
    assert.ok(right.includes(lines[0] ?? ''), `the plan for ${show(file.path)} is "${lines[0] ?? ''}"; right: ${JSON.stringify(right)}`);
  }
  for (const { outcome, path } of plan) assert.ok(outcome === 'missing' || at.has(path), `the plan names ${outcome} ${show(path)}`);
  checkMissing(expectation, plan, moved, result);
  for (const outcome of ['new', 'updated', 'moved'])
    assert.equal(result[outcome], plan.filter((line) => line.outcome === outcome).length, `${outcome} in the plan`);
  assert.equal(result.scanned, result.new + result.updated + result.moved + result.skipped + result.error_count);
}

function checkMissing(expectation, plan, moved, result) {
  const { disk, scope, before } = expectation;
  const missing = new Set(plan.filter(({ outcome }) => outcome === 'missing').map(({ path }) => path));
  for (const row of before.values()) {
    if (row.missing || moved(row)) continue;
    const vanished = inScope(scope, row.path) && disk.shows(row.path);
    const takenOver = plan.some(({ outcome, path }) => outcome === 'moved' && path === row.path);
    if (!takenOver && !(result.refused && !missing.has(row.path)))
      assert.equal(missing.has(row.path), vanished, `the plan says of ${show(row.path)}: missing ${missing.has(row.path)}`);
    missing.delete(row.path);
  }
  const lines = plan.map(({ outcome, path, from }) => text(outcome, path, from)).join('\n');
  assert.deepEqual([...missing], [], `nothing else would be missing:\n${lines}`);
}

// Numbers for benchmarks: medians, percentiles, memory of a process, rows of a table.
import { readFileSync, readdirSync } from 'node:fs';

export function percentile(values, percent) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))];
}

export function median(values) {
  return percentile(values, 50);
}

/** Highest resident memory of a process so far, in MiB. */
export function residentPeak(pid) {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}

/** The worker processes of a daemon: children of any of its threads. */
export function workerPids(daemonPid) {
  const tasks = `/proc/${daemonPid}/task`;
  return readdirSync(tasks).flatMap((thread) => readFileSync(`${tasks}/${thread}/children`, 'utf8').trim().split(' '))
    .filter(Boolean).map(Number);
}

/** One row of a table; `goal` says what the figure should be. */
export function row(name, value, unit, goal = '') {
  console.log(`  ${name.padEnd(52)}${value.toFixed(value < 100 ? 2 : 0).padStart(10)} ${unit.padEnd(13)}${goal}`);
}

/** Resident memory of a process now, in KiB. */
export function resident(pid) {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}

const latencyColumns = ['p50 ms', 'p99 ms', 'max ms', 'own p50', 'own p99'];

/** A line above rows of latencyRow. */
export function latencyHead(title) {
  console.log(`  ${title.padEnd(42)}${['answers', ...latencyColumns].map((name) => name.padStart(9)).join('')}`);
}

/** One report of httpload: from when each request was due; and by itself, without its wait for the one before. */
export function latencyRow(name, report, goal = '') {
  const figures = ['p50_ms', 'p99_ms', 'highest_ms', 'own_p50_ms', 'own_p99_ms'].map((member) => report[member].toFixed(2));
  console.log(`  ${name.padEnd(42)}${[String(report.answers), ...figures].map((text) => text.padStart(9)).join('')}  ${goal}`);
}

/** The tasks of the page's main thread in a trace: the thread that ran most of them in a renderer. */
export function mainTasks(trace) {
  const { traceEvents } = JSON.parse(String(trace));
  const renderers = new Set(traceEvents.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain').map(({ pid, tid }) => `${pid} ${tid}`));
  const byThread = new Map([...renderers].map((thread) => [thread, []]));
  for (const event of traceEvents) if (event.name.endsWith('RunTask') && event.tdur !== undefined) byThread.get(`${event.pid} ${event.tid}`)?.push(event);
  return [...byThread.values()].reduce((a, b) => (b.length > a.length ? b : a));
}

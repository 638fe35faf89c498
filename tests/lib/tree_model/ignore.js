// Which entries of a tree a scan passes over: the model's own reading of .reeldignore (the part of gitignore(5) that the model
// writes), of .nomedia, and of the names that are ignored by themselves.
import { nameOf } from './paths.js';

/** The built-in pattern that a name is ignored for, or null. */
export function builtIn(name) {
  const lower = name.toLowerCase();
  if (name.startsWith('.')) return '.*';
  for (const whole of ['@eaDir', '#recycle', 'lost+found']) if (name === whole) return whole;
  for (const end of ['.part', '.crdownload', '.tmp']) if (lower.endsWith(end)) return `*${end}`;
  return null;
}

function expression(pattern) {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  const text = escaped.replace(/\*\*\/|\*|\?/g, (found) => ({ '**/': '(?:.*/)?', '*': '[^/]*', '?': '[^/]' })[found]);
  return new RegExp(`^${text}$`, 's');
}

/** The rules of one file: [{negative, directoryOnly, anchored, expression, pattern, line}]. */
export function parseRules(text) {
  const rules = [];
  text.split('\n').forEach((raw, i) => {
    let line = raw.replace(/\r$/, '').replace(/ +$/, '');
    if (!line || line.startsWith('#')) return;
    const negative = line.startsWith('!');
    if (negative) line = line.slice(1);
    const directoryOnly = line.endsWith('/');
    if (directoryOnly) line = line.slice(0, -1);
    const anchored = line.includes('/');
    if (!line) return;
    rules.push({ negative, directoryOnly, anchored, line: i + 1, pattern: raw, expression: expression(line.replace(/^\//, '')) });
  });
  return rules;
}

/**
 * What the rules say of one entry: the last that matches in the file nearest to it that has one.
 * @param {{folder: string, rules: object[]}[]} levels from the root down
 * @returns {{rule: object, folder: string} | null} null: nothing ignores it
 */
export function judge(levels, file, directory) {
  for (const { folder, rules } of [...levels].reverse()) {
    const relative = file.slice(folder.length + 1);
    const rule = rules.findLast((one) => (!one.directoryOnly || directory)
      && one.expression.test(one.anchored ? relative : nameOf(file)));
    if (rule) return rule.negative ? null : { rule, folder };
  }
  return null;
}

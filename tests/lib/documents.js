// What the server says, held against what web/api/openapi.json and asyncapi.json say of it: each status described, each body
// of its schema, no member that is not described.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const folder = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../web/api');
export const openapi = JSON.parse(fs.readFileSync(path.join(folder, 'openapi.json'), 'utf8'));
export const asyncapi = JSON.parse(fs.readFileSync(path.join(folder, 'asyncapi.json'), 'utf8'));

/** A copy of a schema in which an object may have no member that is not described. */
function closed(schema, within = false) {
  if (Array.isArray(schema)) return schema.map((one) => closed(one, within));
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = {};
  for (const [key, value] of Object.entries(schema)) {
    const part = key === 'allOf';
    copy[key] = key === 'const' || key === 'enum' ? value
      : key === 'properties' ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, closed(one)])) : closed(value, part);
  }
  if (!within && ('properties' in schema || 'allOf' in schema) && !('additionalProperties' in schema)) copy.unevaluatedProperties = false;
  return copy;
}

/** References as the names under which the schemas are filed. */
function relative(schema, base, part) {
  if (Array.isArray(schema)) return schema.map((one) => relative(one, base, part));
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => {
    if (key === '$ref') {
      const [file, name] = [value.split('#')[0], value.split('/').at(-1)];
      return ['$ref', `schema://reeld/${file ? 'openapi' : base}/${part ? 'open/' : ''}${name}`];
    }
    return [key, relative(value, base, key === 'allOf')];
  }));
}

/** What an allOf refers to is a part, and stays open there; the whole is closed around it. */
const ajv = addFormats(new Ajv({ strict: false }));
for (const [base, { components: { schemas } }] of Object.entries({ openapi, asyncapi })) {
  for (const [name, schema] of Object.entries(schemas)) {
    ajv.addSchema(relative(closed(schema), base, false), `schema://reeld/${base}/${name}`);
    ajv.addSchema(relative(closed(schema, true), base, true), `schema://reeld/${base}/open/${name}`);
  }
}

const compile = (schema, base) => ajv.compile(relative(closed(schema), base, false));
function refuse(validate, value, what) {
  assert.fail(`${what}: ${JSON.stringify(validate.errors)}\n${JSON.stringify(value).slice(0, 600)}`);
}

const compiled = new Map();
function check(schema, base, value, what) {
  if (!compiled.has(schema)) compiled.set(schema, compile(schema, base));
  const validate = compiled.get(schema);
  if (!validate(value)) refuse(validate, value, what);
}

/** The described route that a path belongs to: a literal one goes before one with {id}. */
export function routeOf(pathname) {
  if (openapi.paths[pathname]) return pathname;
  return Object.keys(openapi.paths).find((route) => route.includes('{id}')
    && new RegExp(`^${route.replaceAll('.', '\\.').replace('{id}', '[^/]+')}$`).test(pathname));
}

/** Checks a problem document of whichever route. */
export function checkProblem(body) {
  check(openapi.components.schemas.Problem, 'openapi', body, `a problem, ${body?.status}`);
}

/** Checks an answer against what the document says of its route; `body` is parsed where it is JSON. */
export function checkAnswer({ method, url, status, type = '', body }) {
  const what = `${method} ${url} → ${status}`;
  const media = type.split(';')[0];
  const operation = openapi.paths[routeOf(new URL(url, 'http://x').pathname)]?.[method === 'HEAD' ? 'get' : method.toLowerCase()];
  if (!operation) return media === 'application/problem+json' && method !== 'HEAD' ? checkProblem(body) : undefined;
  let said = operation.responses[status];
  assert.ok(said, `${what} is not described: ${JSON.stringify(body)}`);
  if (said.$ref) said = openapi.components.responses[said.$ref.split('/').at(-1)];
  if (!media) return assert.ok(!body, `${what}: a body without a type`);
  const content = said.content?.[media];
  assert.ok(content, `${what}: ${media} is not described`);
  if (method === 'HEAD') return undefined;
  check(content.schema, 'openapi', body, what);
  for (const frame of body?.events ?? []) checkFrame(frame); // of a long poll: each also as its type has it
  return undefined;
}

/** Compiled once a type: two to seven microseconds a frame, so that clients of a busy channel keep up. */
const frames = new Map();
function frameCheck(type) {
  const message = asyncapi.components.messages[type];
  assert.ok(message && 'x-topic' in message, `${type} is not described`);
  const validate = compile(message.payload, 'asyncapi');
  frames.set(type, validate);
  return validate;
}

/** Checks a frame of the channel, by whichever transport it came. */
export function checkFrame(frame) {
  const validate = frames.get(frame.type) ?? frameCheck(frame.type);
  if (!validate(frame)) refuse(validate, frame, frame.type);
}

/** Whether the channel's document lets a client say this. */
export function maySay(message) {
  const said = asyncapi.components.messages[message.type];
  return Boolean(said) && !('x-topic' in said) && compile(said.payload, 'asyncapi')(message);
}

/** Whether the document lets a GET of `route` have these arguments, given as [name, value][]. */
export function mayAsk(route, args) {
  const described = openapi.paths[route].get.parameters
    .map((one) => (one.$ref ? openapi.components.parameters[one.$ref.split('/').at(-1)] : one)).filter((one) => one.in === 'query');
  return args.every(([name, text], i) => {
    const parameter = described.find((one) => one.name === name);
    if (!parameter || args.findIndex(([other]) => other === name) !== i) return false;
    const value = parameter.schema.type === 'integer' && /^[0-9]+$/.test(text) ? Number(text)
      : parameter.schema.type === 'array' ? text.split(',') : text;
    return compile(parameter.schema, 'openapi')(value);
  });
}

/** Checks the code with which the service closed the channel; below 1001 and in between it was the client, or nobody. */
export function checkClose(code) {
  const described = asyncapi.channels.events['x-close-codes'];
  assert.ok([1000, 1005, 1006].includes(code) || code in described, `the close code ${code} is not described`);
}

// The JSON Schema subset of structured outputs: what a request may ask for, and whether an answer keeps to it.
//
// `checkSchema` refuses what the API would not compile. `conformance` is the fake's check of itself: a scripted or
// stand-in answer that does not fit the schema it claims to answer would let a client's parser pass on impossible data.

import { refuse } from './rejection.mjs';
import { isObject } from './shape.mjs';

const TYPES = ['object', 'array', 'string', 'integer', 'number', 'boolean', 'null'];
const FORMATS = ['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'uri', 'ipv4', 'ipv6', 'uuid'];
const KEYWORDS = new Set([
  'type', 'enum', 'const', 'anyOf', 'allOf', '$ref', '$defs', 'definitions', 'default', 'required', 'properties',
  'additionalProperties', 'items', 'minItems', 'format', 'pattern', 'title', 'description', '$schema',
]);
const MAX_OPTIONAL_PROPERTIES = 24;
const MAX_UNION_PROPERTIES = 16;

/** What all schemas of one request may use together. */
export const newSchemaBudget = () => ({ optional: 0, unions: 0 });

const isScalar = (value) => value === null || ['string', 'number', 'boolean'].includes(typeof value);
const isUnion = (schema) => isObject(schema) && (Array.isArray(schema.anyOf) || Array.isArray(schema.type));

/** Refuses a schema outside the supported subset. */
export function checkSchema(schema, path, budget = newSchemaBudget()) {
  checkNode(schema, path, { root: schema, budget });
  if (budget.optional > MAX_OPTIONAL_PROPERTIES) {
    refuse(`${path}: Schemas contain too many optional properties (${budget.optional}, limit ${MAX_OPTIONAL_PROPERTIES}).`);
  }
  if (budget.unions > MAX_UNION_PROPERTIES) {
    refuse(`${path}: Schemas contain too many properties with union types (${budget.unions}, limit ${MAX_UNION_PROPERTIES}).`);
  }
}

function checkNode(schema, path, context) {
  if (!isObject(schema)) refuse(`${path}: Input should be a valid schema object`);
  for (const keyword of Object.keys(schema)) {
    if (!KEYWORDS.has(keyword)) refuse(`${path}: For this schema, property '${keyword}' is not supported`);
  }
  const types = schema.type === undefined ? [] : [schema.type].flat();
  for (const type of types) if (!TYPES.includes(type)) refuse(`${path}.type: '${type}' is not supported`);
  if (types.length === 0 && !['enum', 'const', 'anyOf', 'allOf', '$ref'].some((keyword) => keyword in schema)) {
    refuse(`${path}: schema must define a type`);
  }
  checkScalars(schema, path);
  checkReference(schema, path, context.root);
  if (types.includes('object') || 'properties' in schema) checkObject(schema, path, context);
  if (types.includes('array') || 'items' in schema) checkArray(schema, path, context);
  for (const keyword of ['anyOf', 'allOf']) {
    if (!(keyword in schema)) continue;
    if (!Array.isArray(schema[keyword]) || schema[keyword].length === 0) refuse(`${path}.${keyword}: expected a list of schemas`);
    schema[keyword].forEach((inner, index) => checkNode(inner, `${path}.${keyword}.${index}`, context));
  }
  if (schema.allOf?.some((inner) => '$ref' in inner)) refuse(`${path}.allOf: allOf with $ref is not supported`);
  for (const keyword of ['$defs', 'definitions']) {
    for (const [name, inner] of Object.entries(schema[keyword] ?? {})) checkNode(inner, `${path}.${keyword}.${name}`, context);
  }
}

function checkScalars(schema, path) {
  if ('enum' in schema && !(Array.isArray(schema.enum) && schema.enum.length > 0 && schema.enum.every(isScalar))) {
    refuse(`${path}.enum: only a list of strings, numbers, booleans or nulls is supported`);
  }
  if ('const' in schema && !isScalar(schema.const)) refuse(`${path}.const: only scalar values are supported`);
  if ('format' in schema && !FORMATS.includes(schema.format)) refuse(`${path}.format: '${schema.format}' is not supported`);
  if ('pattern' in schema) checkPattern(schema.pattern, `${path}.pattern`);
}

function checkPattern(pattern, path) {
  if (typeof pattern !== 'string') refuse(`${path}: Input should be a valid string`);
  if (/\(\?(?:[=!]|<[=!])/.test(pattern)) refuse(`${path}: lookaround is not supported`);
  if (/\\(?:[1-9]|k<)/.test(pattern)) refuse(`${path}: backreferences are not supported`);
  if (/\\[bB]/.test(pattern)) refuse(`${path}: word boundaries are not supported`);
  try {
    new RegExp(pattern, 'u');
  } catch {
    refuse(`${path}: not a valid regular expression`);
  }
}

function checkReference(schema, path, root) {
  if (!('$ref' in schema)) return;
  if (typeof schema.$ref !== 'string' || !schema.$ref.startsWith('#')) refuse(`${path}.$ref: only local references are supported`);
  if (resolve(root, schema.$ref) === undefined) refuse(`${path}.$ref: '${schema.$ref}' does not exist`);
}

function checkObject(schema, path, context) {
  if (schema.additionalProperties !== false) {
    refuse(`${path}: For 'object' type, 'additionalProperties' must be explicitly set to false`);
  }
  const properties = schema.properties ?? {};
  const required = schema.required ?? [];
  if (!isObject(properties)) refuse(`${path}.properties: Input should be a valid dictionary`);
  if (!Array.isArray(required)) refuse(`${path}.required: Input should be a valid list`);
  for (const name of required) {
    if (!Object.hasOwn(properties, name)) refuse(`${path}.required: '${name}' is not one of the properties`);
  }
  for (const [name, inner] of Object.entries(properties)) {
    if (!required.includes(name)) context.budget.optional += 1;
    if (isUnion(inner)) context.budget.unions += 1;
    checkNode(inner, `${path}.properties.${name}`, context);
  }
}

function checkArray(schema, path, context) {
  if ('minItems' in schema && schema.minItems !== 0 && schema.minItems !== 1) {
    refuse(`${path}.minItems: For 'array' type, 'minItems' values other than 0 or 1 are not supported`);
  }
  if ('items' in schema) checkNode(schema.items, `${path}.items`, context);
}

function resolve(root, reference) {
  let node = root;
  for (const part of reference.split('/').slice(1)) {
    node = isObject(node) && Object.hasOwn(node, decodeURIComponent(part)) ? node[decodeURIComponent(part)] : undefined;
  }
  return node;
}

const FORMAT_PATTERNS = {
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i,
  date: /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/,
  time: /^\d\d:\d\d:\d\d/,
  duration: /^P/,
  email: /^[^\s@]+@[^\s@]+$/,
  hostname: /^[a-z0-9.-]+$/i,
  uri: /^[a-z][a-z0-9+.-]*:/i,
  ipv4: /^\d+\.\d+\.\d+\.\d+$/,
  ipv6: /^[0-9a-f:.]+$/i,
  uuid: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
};

const hasType = (value, type) =>
  type === 'null' ? value === null
  : type === 'array' ? Array.isArray(value)
  : type === 'object' ? isObject(value)
  : type === 'integer' ? Number.isInteger(value)
  : typeof value === type;

/** The first place where `value` breaks `schema`, as a sentence; `null` if it conforms. */
export function conformance(schema, value, path = '$', root = schema) {
  if ('$ref' in schema) return conformance(resolve(root, schema.$ref), value, path, root);
  if (schema.type !== undefined && ![schema.type].flat().some((type) => hasType(value, type))) {
    return `${path} should be of type ${[schema.type].flat().join(' or ')}`;
  }
  if ('const' in schema && value !== schema.const) return `${path} should be ${JSON.stringify(schema.const)}`;
  if ('enum' in schema && !schema.enum.includes(value)) return `${path} should be one of ${JSON.stringify(schema.enum)}`;
  if (typeof value === 'string') {
    if (schema.pattern && !new RegExp(schema.pattern, 'u').test(value)) return `${path} should match ${schema.pattern}`;
    if (schema.format && !FORMAT_PATTERNS[schema.format].test(value)) return `${path} should be a ${schema.format}`;
  }
  if (schema.anyOf) {
    const errors = schema.anyOf.map((inner) => conformance(inner, value, path, root));
    if (!errors.includes(null)) return errors[0];
  }
  for (const inner of schema.allOf ?? []) {
    const error = conformance(inner, value, path, root);
    if (error) return error;
  }
  return isObject(value) ? objectConformance(schema, value, path, root) : arrayConformance(schema, value, path, root);
}

function objectConformance(schema, value, path, root) {
  for (const name of schema.required ?? []) if (!Object.hasOwn(value, name)) return `${path}.${name} is required`;
  for (const [name, inner] of Object.entries(value)) {
    const known = schema.properties && Object.hasOwn(schema.properties, name);
    if (!known && schema.additionalProperties === false) return `${path}.${name} is not a property of the schema`;
    const error = known ? conformance(schema.properties[name], inner, `${path}.${name}`, root) : null;
    if (error) return error;
  }
  return null;
}

function arrayConformance(schema, value, path, root) {
  if (!Array.isArray(value)) return null;
  if (value.length < (schema.minItems ?? 0)) return `${path} should have at least ${schema.minItems} item`;
  for (const [index, item] of value.entries()) {
    const error = schema.items ? conformance(schema.items, item, `${path}[${index}]`, root) : null;
    if (error) return error;
  }
  return null;
}

/** The value with each object's required properties first, in the schema's order, as the API emits them. */
export function inSchemaOrder(schema, value, root = schema) {
  if ('$ref' in schema) return inSchemaOrder(resolve(root, schema.$ref), value, root);
  if (Array.isArray(value)) return schema.items ? value.map((item) => inSchemaOrder(schema.items, item, root)) : value;
  if (!isObject(value) || !schema.properties) return value;
  const required = schema.required ?? [];
  const names = Object.keys(schema.properties);
  const order = [...names.filter((name) => required.includes(name)), ...names.filter((name) => !required.includes(name))];
  return Object.fromEntries(
    order.filter((name) => Object.hasOwn(value, name)).map((name) => [name, inSchemaOrder(schema.properties[name], value[name], root)]),
  );
}

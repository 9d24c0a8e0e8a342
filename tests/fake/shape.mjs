// Small checks of a JSON value's shape, with the API's wording of what is wrong and where.

import { refuse } from './rejection.mjs';

export const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const at = (path, name) => (path === '' ? name : `${path}.${name}`);

/** A check is `(value, path) => void` that throws a Rejection. */
export const string = (value, path) => {
  if (typeof value !== 'string') refuse(`${path}: Input should be a valid string`);
};
export const boolean = (value, path) => {
  if (typeof value !== 'boolean') refuse(`${path}: Input should be a valid boolean`);
};
export const integer = (value, path) => {
  if (!Number.isInteger(value)) refuse(`${path}: Input should be a valid integer`);
};
export const number = (value, path) => {
  if (typeof value !== 'number') refuse(`${path}: Input should be a valid number`);
};
export const object = (value, path) => {
  if (!isObject(value)) refuse(`${path}: Input should be a valid dictionary`);
};
export const anything = () => {};

export const nonEmptyString = (value, path) => {
  string(value, path);
  if (value.length === 0) refuse(`${path}: String should have at least 1 character`);
};
export const integerFrom = (low) => (value, path) => {
  integer(value, path);
  if (value < low) refuse(`${path}: Input should be greater than or equal to ${low}`);
};
export const matching = (pattern) => (value, path) => {
  string(value, path);
  if (!pattern.test(value)) refuse(`${path}: String should match pattern '${pattern.source}'`);
};
export const oneOf = (...values) => (value, path) => {
  if (!values.includes(value)) refuse(`${path}: Input should be ${values.map((v) => `'${v}'`).join(' or ')}`);
};
export const nullable = (check) => (value, path) => {
  if (value !== null) check(value, path);
};
export const listOf = (check) => (value, path) => {
  if (!Array.isArray(value)) refuse(`${path}: Input should be a valid list`);
  value.forEach((item, index) => check(item, `${path}.${index}`));
};

/**
 * Checks an object's fields: `required` and `optional` map names to checks; every other name is refused as the API
 * does. Undefined values do not occur: the object comes from JSON.
 */
export function fields(value, path, required, optional = {}) {
  object(value, path || 'body');
  for (const name of Object.keys(required)) {
    if (!Object.hasOwn(value, name)) refuse(`${at(path, name)}: Field required`);
  }
  for (const [name, inner] of Object.entries(value)) {
    const check = Object.hasOwn(required, name) ? required[name] : Object.hasOwn(optional, name) ? optional[name] : null;
    if (!check) refuse(`${at(path, name)}: Extra inputs are not permitted`);
    check(inner, at(path, name));
  }
}

/** A check made of `fields`. */
export const shape = (required, optional) => (value, path) => fields(value, path, required, optional);

/** A check that picks the rule by the value's `type`. */
export const byType = (table) => (value, path) => {
  object(value, path);
  if (!Object.hasOwn(value, 'type')) refuse(`${path}.type: Field required`);
  if (typeof value.type !== 'string' || !Object.hasOwn(table, value.type)) {
    const tags = Object.keys(table).map((tag) => `'${tag}'`).join(', ');
    refuse(`${path}: Input tag '${value.type}' found using 'type' does not match any of the expected tags: ${tags}`);
  }
  table[value.type](value, path);
};

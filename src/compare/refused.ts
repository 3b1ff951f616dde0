// Describes the refused records of a topic: where they are and why they were refused. A window that
// finds such a record cannot pass.
import type { Difference } from '../domain/evidence/window.js';
import { cut } from '../domain/values/foreign-text.js';
import { jsonOf, parseJsonLossless } from './json.js';
import type { Shape } from './row-comparison.js';
import { WiderKey } from './undecodable.js';

/** The reasons for refusing a record. Reading threads pass a reason as its index in this list. */
export const WHY_REFUSED = [
  'no change event with a readable key',
  'a record without a key',
  "the record's key is not the key of its row",
  'in a different partition than its key belongs to',
  'its key occurs in several partitions, so its records have no order',
  'its key has more columns than the key of its row, so the topic can have the row several times',
  'an earlier record has the same key in different bytes, so the topic has the row under two keys',
] as const;
export const REFUSED = {
  unreadable: 0,
  noKey: 1,
  foreignKey: 2,
  misplaced: 3,
  scattered: 4,
  wider: 5,
  respelled: 6,
} as const;

/** Throws WiderKey if a record's key has more members than the row's key has columns. */
export function refuseWiderKey(fields: unknown, { key }: Shape): void {
  if (fields !== null && typeof fields === 'object' && Object.keys(fields).length > key.length)
    throw new WiderKey(WHY_REFUSED[REFUSED.wider]);
}

/** Returns the reason for refusing a record whose key or value threw the error. */
export const whyRefused = (error: unknown): number =>
  error instanceof WiderKey ? REFUSED.wider : REFUSED.unreadable;

export interface Refused {
  readonly partition: number;
  readonly offset: number;
  readonly why: number;
  /**
   * The record's key as text. Null if the record has no key. Undefined if the text must still be
   * read from the topic.
   */
  readonly key?: string | null;
  /** The record's value as text, with the same rules as `key`. */
  readonly value?: string | null;
}

/** The maximum number of refused records that are shown. Further records are only counted. */
export const MOST_REFUSED = 20;
const MOST_SHOWN = 200;

/** Returns the part of a record's text that a difference shows. */
export const shown = (text: string | null): string =>
  text === null ? 'null' : cut(text, MOST_SHOWN);

export function refusedDifferences(shape: Shape, refused: readonly Refused[]): Difference[] {
  return refused.map((record) => ({
    class: 'undecodable',
    key: keyFields(shape, record.key ?? null),
    column: null,
    batch: null,
    stream: describeRefused(record),
  }));
}

export const describeRefused = ({
  partition,
  offset,
  why,
  key = null,
  value = null,
}: Refused): string =>
  `partition ${partition}, offset ${offset}: ${WHY_REFUSED[why]}: key ${shown(key)}, value ${shown(value)}`;

/**
 * Returns the value of each key column in the record's key. A column that the key lacks is null.
 */
function keyFields(shape: Shape, key: string | null): Record<string, string | null> {
  let parsed: unknown = null;
  try {
    parsed = key === null ? null : parseJsonLossless(key);
  } catch {
    // A key that is not JSON has no columns, so each value is null. The difference also shows the
    // key's text.
  }
  const fields =
    parsed !== null && typeof parsed === 'object' ? (parsed as Record<string, unknown>) : {};
  return Object.fromEntries(
    shape.key.map((name) => {
      const value = Object.hasOwn(fields, name) ? fields[name] : null;
      return [name, value === null || value === undefined ? null : shown(asText(value))];
    }),
  );
}

const asText = (value: unknown): string =>
  typeof value === 'string' ? value : (jsonOf(value) ?? 'nothing');

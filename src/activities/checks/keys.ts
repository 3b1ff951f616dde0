// Checks that the source, Kafka and a window agree on which keys of a table are equal.
import type { Column, TableCatalog } from '../../clients/postgres/catalog.js';
import { isProvable } from '../../compare/column-types.js';
import { NOT_IN_KEYS } from '../../compare/types/further-types.js';
import { WHY_GENERATED, whyUnproven } from '../../compare/types/unproven.js';
import { isCarried, type CaptureFacts } from '../../domain/capture/capture.js';
import type { Check } from '../../domain/evidence/check.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { failed, passed } from '../runtime/make-finding.js';

/**
 * Checks the primary key. `text` is the table as the spec names it. The check `table.key` reports a
 * table without a key.
 */
export function checkKey(
  { capture, spec }: ResolvedPlan,
  text: string,
  table: TableCatalog,
): Check[] {
  if (table.key.length === 0) return [];
  const columns = table.key.map((name) => table.columns.find((column) => column.name === name)!);
  return [checkTypes(text, columns, capture), checkForms(text, columns, spec.kafka.partitions)];
}

function whyNoKey(capture: CaptureFacts, column: Column): string {
  const { declared, type } = column;
  if (!isCarried(capture, column)) return WHY_GENERATED;
  return isProvable(type) ? declared : `${declared}: ${whyUnproven(type)}`;
}

/**
 * Checks the types of the key's columns. `validation.compare.ignore` does not exempt key columns,
 * because a window finds the row on the other side by its key.
 */
function checkTypes(text: string, columns: readonly Column[], capture: CaptureFacts): Check {
  const weak = columns.filter(
    (column) =>
      !isCarried(capture, column) || !isProvable(column.type) || NOT_IN_KEYS.has(column.type),
  );
  if (weak.length === 0) return passed('table.key-types', text, 'every key column can be compared');
  const named = weak.map((c) => `${c.name} (${whyNoKey(capture, c)})`).join(', ');
  const detail = `key columns that cannot be compared: ${named}`;
  return failed(
    'table.key-types',
    text,
    detail,
    'give the table a primary key of other columns; a key column cannot be omitted from the comparison',
  );
}

/**
 * Checks that equal keys have the same text, unless the topic has only one partition. For Kafka,
 * 1.5 and 1.50 are two keys. An update of 1.5 to 1.50 becomes a delete of one key and an insert of
 * the other. If these two records are in different partitions, a consumer may read them in the
 * wrong order.
 */
function checkForms(text: string, columns: readonly Column[], partitions: number): Check {
  const loose = columns.filter(hasSeveralTexts);
  if (loose.length === 0 || partitions === 1)
    return passed(
      'table.key-form',
      text,
      'equal keys are the same key in Kafka, or stay in order in one partition',
    );
  const named = loose.map((c) => `${c.name} (${formOf(c)})`).join(', ');
  return failed(
    'table.key-form',
    text,
    `equal values of ${named} can have several texts (1.5 and 1.50, or A and a), which are different keys in Kafka and can be in different partitions (there are ${partitions})`,
    `give ${loose.map((c) => c.name).join(', ')} a type with one text for each value, such as numeric(20,4) or bigint, and a deterministic collation, or set kafka.partitions: 1`,
  );
}

const formOf = ({ declared, looseCollation }: Column): string =>
  looseCollation === null
    ? declared
    : `${declared}, with the nondeterministic collation ${looseCollation}`;

/** Types with different texts for equal values: 0 and -0, 1.5 and 1.50, 24:00 and 1 day, A and a. */
const SEVERAL_TEXTS = new Set(['float4', 'float8', 'numrange', 'jsonb', 'interval', 'citext']);

/**
 * Returns true if equal values can be printed differently: in scale, sign of zero, unit, case, or
 * trailing blanks. A nondeterministic collation can also make different texts equal.
 */
function hasSeveralTexts({ type, declared, looseCollation }: Column): boolean {
  if (looseCollation !== null) return true;
  const item = type.replace(/(\[\])+$/, '');
  if (SEVERAL_TEXTS.has(item)) return true;
  if (item === 'numeric' || item === 'bpchar') return !declared.includes('(');
  return false;
}

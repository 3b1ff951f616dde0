// Registers Sluice's search attributes in the worker's namespace. If that is not allowed, the
// worker prints the missing attributes, and starts anyway.
import type { NativeConnection } from '@temporalio/worker';
import proto from '@temporalio/proto';
import {
  SEARCH_ATTRIBUTES,
  SEARCH_ATTRIBUTE_NAMES,
  describeAttributes,
  registerCommands,
  type SearchAttributeName,
} from '../domain/migration/search-attribute-names.js';

type OperatorService = Pick<
  NativeConnection['operatorService'],
  'listSearchAttributes' | 'addSearchAttributes'
>;

const { IndexedValueType } = proto.temporal.api.enums.v1;
const TYPES = {
  Keyword: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  Bool: IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
  Int: IndexedValueType.INDEXED_VALUE_TYPE_INT,
  Double: IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
};

/**
 * Registers the missing search attributes. Never throws, because some clusters, such as Temporal
 * Cloud, deny these calls even if every attribute exists. `say` receives lines for the operator.
 */
export async function ensureSearchAttributes(
  operator: OperatorService,
  namespace: string,
  say: (line: string) => void,
): Promise<void> {
  const warn = (line: string, names: readonly SearchAttributeName[]): void => {
    say(`warning: ${line}. A migration cannot run in a namespace without them.`);
    for (const command of registerCommands(namespace, names)) say(`  → ${command}`);
  };
  let known: Readonly<Record<string, unknown>>;
  try {
    known = (await operator.listSearchAttributes({ namespace })).customAttributes ?? {};
  } catch (error) {
    return warn(
      `the search attributes of namespace ${namespace} cannot be listed (${(error as Error).message}), so it is unknown whether it has ${describeAttributes(SEARCH_ATTRIBUTE_NAMES)}`,
      SEARCH_ATTRIBUTE_NAMES,
    );
  }
  const wrong = SEARCH_ATTRIBUTE_NAMES.filter(
    (name) => name in known && known[name] !== TYPES[SEARCH_ATTRIBUTES[name]],
  );
  if (wrong.length > 0)
    say(
      `warning: search attributes of namespace ${namespace} do not have the types ${describeAttributes(wrong)}. Remove them, then register them`,
    );
  const missing = SEARCH_ATTRIBUTE_NAMES.filter((name) => !(name in known));
  if (missing.length === 0) return;
  try {
    await operator.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(
        missing.map((name) => [name, TYPES[SEARCH_ATTRIBUTES[name]]]),
      ),
    });
    say(`registered search attributes ${missing.join(', ')}`);
  } catch (error) {
    warn(
      `namespace ${namespace} has no search attributes ${describeAttributes(missing)}, and they could not be registered (${(error as Error).message})`,
      missing,
    );
  }
}

// Lists what a change of each fact costs, and why. A *fact* is a setting or state that evidence
// depends on. A *part* is a connector task, or the members of a group. The restart of a part is
// harmless only if the facts that identify the part are known and unchanged. A change that no rule
// names begins a new epoch.

/**
 * The cost of a change. `restart`: a full window must pass before approvals count again.
 * `full-window`: the next window reads every row. `epoch`: a new epoch begins, and all approvals
 * are void.
 */
export type FactCost = 'restart' | 'full-window' | 'epoch';

export interface FactRule {
  /**
   * The fact's name. If `isPrefix` is true, `fact` is only the beginning of the name; the name of
   * the part follows.
   */
  readonly fact: string;
  readonly isPrefix: boolean;
  readonly cost: FactCost;
  readonly reason: string;
  /**
   * The facts that identify the part, if the cost is `restart`. If one of them is unknown, nothing
   * shows that the part only restarted, so a new epoch begins.
   */
  readonly identifiedBy?: readonly string[];
  /**
   * The facts of `identifiedBy` that can be read only while the part runs. While the part is not
   * running, their last known values count.
   */
  readonly readWhileRunning?: readonly string[];
}

/**
 * The value of an identifying fact that could not be read. A restart of that part then begins a new
 * epoch.
 */
export const UNKNOWN_IDENTITY = 'unknown';

/** Builds the name of a fact about a part. `part` is empty if there is only one such part. */
const named = (fact: string, part: string): string => (part === '' ? fact : `${fact} ${part}`);
export const taskFact = (connector: string): string => named('connector task', connector);
export const versionFact = (connector: string): string => named('connector version', connector);
export const configFact = (connector: string): string => named('connector config', connector);
export const membersFact = (group: string): string => named('members of pipeline group', group);
export const groupFact = (group: string): string => named('pipeline group', group);
/**
 * Names the fact that identifies the files of a table's rows. A rewrite (VACUUM FULL, CLUSTER)
 * changes the files but not the rows, so it costs one full window and no new epoch. TRUNCATE also
 * changes the files. The full window then finds the rows that only the topic still has.
 */
export const storageFact = (table: string): string => `storage of ${table}`;
/**
 * Names the fact that lists the partitions of a table. A new partition leaves the evidence valid. A
 * removed or replaced partition begins a new epoch.
 */
export const partitionsFact = (table: string): string => `partitions of ${table}`;

/** The rules. For each fact, the first rule that fits applies. */
export const FACT_RULES: readonly FactRule[] = [
  {
    fact: 'connector task',
    isPrefix: true,
    cost: 'restart',
    reason: 'a task that runs again from its stored position captures by the same rules',
    identifiedBy: ['connector version', 'connector config'],
  },
  {
    fact: 'members of sink group',
    isPrefix: false,
    cost: 'restart',
    reason: 'a sink task that runs again writes by the same rules',
    identifiedBy: ['sink version', 'sink config', 'sink group'],
    readWhileRunning: ['sink group'],
  },
  {
    fact: 'members of pipeline group',
    isPrefix: true,
    cost: 'restart',
    reason: 'a member that left and came back, or a rebalance, does not change the pipeline',
    identifiedBy: ['pipeline group'],
    readWhileRunning: ['pipeline group'],
  },
  {
    fact: storageFact(''),
    isPrefix: true,
    cost: 'full-window',
    reason: 'a rewrite changes the files of a table, not its rows',
  },
  {
    fact: partitionsFact(''),
    isPrefix: true,
    cost: 'full-window',
    reason: 'an added partition changes nothing that was proven; a removed one begins a new epoch',
  },
];

const WITHOUT_RULE: FactRule = {
  fact: '',
  isPrefix: true,
  cost: 'epoch',
  reason: 'nothing shows that the change is harmless',
};

/**
 * Returns the rule of a fact, and the name of the part. In the fact's name, the part's name follows
 * the rule's `fact`.
 */
export function ruleOf(fact: string): { readonly rule: FactRule; readonly part: string } {
  for (const rule of FACT_RULES)
    if (rule.isPrefix ? fact.startsWith(rule.fact) : fact === rule.fact)
      return { rule, part: fact.slice(rule.fact.length) };
  return { rule: WITHOUT_RULE, part: '' };
}

// Lists activities that change something outside their process, in about the order in which a
// migration calls them. Each case prepares what the activity needs, and undoes its work afterwards.
import type { OwnedObject } from '../../src/domain/evidence/ledger-rows.js';
import { plannedTopics } from '../../src/domain/capture/index.js';
import { namesOf, sinkGroup } from '../../src/domain/migration/names.js';
import { stagingTable } from '../../src/domain/routes/shared-table.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import type { ActivityName, Stage } from './stage.js';

export interface CrashCase {
  readonly activity: ActivityName;
  readonly args: unknown[];
  readonly before: () => Promise<unknown>;
  readonly after: () => Promise<unknown>;
}

const inTurn = async (...acts: (() => Promise<unknown>)[]): Promise<void> => {
  for (const one of acts) await one();
};

export function crashCases({ ref, act, forgetCopy }: Stage): CrashCase[] {
  const names = namesOf(ref.spec, 1);
  const { database } = ref.spec.spec.source.postgres;
  const cluster = ref.spec.spec.kafka.brokers.join(',');
  const lease: OwnedObject = { kind: 'lease', name: names.leaseSchema, where: database };
  const publication: OwnedObject = {
    kind: 'publication',
    name: names.publication,
    where: database,
  };
  const topics = plannedTopics(ref.spec, 1).map((name): OwnedObject => ({
    kind: 'topic',
    name,
    where: cluster,
  }));
  const connector: OwnedObject = {
    kind: 'connector',
    name: names.connector,
    where: ref.spec.spec.connector.url!,
  };
  const slot: OwnedObject = { kind: 'slot', name: names.slot, where: database };
  const sink: OwnedObject = { kind: 'sink-table', name: 'public.stream_made', where: database };
  const { trigger } = resolve(ref).fence.guards[0]!;
  const fence = { ref, token: 'mine', attempt: 1, epoch: 1, evidenceId: 'ev' };
  const nothing = (): Promise<void> => Promise.resolve();
  const made = (
    activity: ActivityName,
    args: unknown[],
    undo: ActivityName,
    object: OwnedObject,
  ): CrashCase[] => [
    { activity, args, before: nothing, after: () => act(undo, ref, object) },
    { activity: undo, args: [ref, object], before: () => act(activity, ...args), after: nothing },
  ];
  const withLease = (): Promise<unknown> => act('ensureLease', ref);
  const withoutLease = (): Promise<unknown> =>
    inTurn(
      () => act('removeTrigger', ref, trigger),
      () => act('removeLease', ref, lease),
    );
  const withSink = (): Promise<void> => inTurn(withLease, () => act('ensureSinkTable', ref));
  const fenced = (): Promise<void> => inTurn(withSink, () => act('fence', fence));
  const committed = (): Promise<void> => inTurn(fenced, () => act('commitCutover', fence));
  const unfenced = (): Promise<void> =>
    inTurn(
      () => act('routeBack', ref),
      withoutLease,
      () => act('removeSinkTable', ref, sink),
    );
  const running = (): Promise<void> =>
    inTurn(
      () => act('ensurePublication', ref),
      () => act('ensureTopics', ref),
      () => act('claimSlot', ref),
      () => act('ensureConnector', ref, 'source'),
      () => act('resumeConnector', ref, 'source'),
    );
  const dismantled = (): Promise<void> =>
    inTurn(
      () => act('removeConnector', ref, connector),
      () => act('removeSlot', ref, slot),
      ...[...topics].reverse().map((topic) => () => act('removeTopic', ref, topic)),
      () => act('removePublication', ref, publication),
    );
  return [
    {
      activity: 'openMigration',
      args: [{ input: ref.spec, workflowId: ref.workflowId, runKey: ref.runKey }],
      before: nothing,
      after: nothing,
    },
    ...made('ensureLease', [ref], 'removeLease', lease),
    ...made('ensurePublication', [ref], 'removePublication', publication),
    {
      activity: 'ensureTopics',
      args: [ref],
      before: nothing,
      after: () => inTurn(...topics.map((topic) => () => act('removeTopic', ref, topic))),
    },
    {
      activity: 'removeTopic',
      args: [ref, topics[0]],
      before: () => act('ensureTopics', ref),
      after: () => inTurn(...topics.map((topic) => () => act('removeTopic', ref, topic))),
    },
    ...made('ensureSinkTable', [ref], 'removeSinkTable', sink),
    ...made('claimSlot', [ref], 'removeSlot', slot),
    ...made('ensureSlot', [ref], 'removeSlot', slot),
    {
      activity: 'copyTables',
      args: [ref, { 'public.source': 20 }],
      before: () => act('ensureTopics', ref),
      after: () =>
        inTurn(
          () => act('removeSlot', ref, slot),
          ...topics.map((topic) => () => act('removeTopic', ref, topic)),
          forgetCopy,
        ),
    },
    {
      activity: 'ensureConnector',
      args: [ref, 'source'],
      before: nothing,
      after: () =>
        inTurn(
          () => act('removeConnector', ref, connector),
          () => act('removeSlot', ref, slot),
        ), // the activity also claims the connector's slot
    },
    { activity: 'fence', args: [fence], before: withSink, after: unfenced },
    { activity: 'releaseFence', args: [fence], before: fenced, after: unfenced },
    { activity: 'commitCutover', args: [fence], before: fenced, after: unfenced },
    { activity: 'removeTrigger', args: [ref, trigger], before: committed, after: unfenced },
    { activity: 'routeBack', args: [ref], before: committed, after: unfenced },
    {
      activity: 'resumeConnector',
      args: [ref, 'source'],
      before: () =>
        inTurn(
          () => act('ensurePublication', ref),
          () => act('ensureTopics', ref),
          () => act('claimSlot', ref),
          () => act('ensureConnector', ref, 'source'),
        ),
      after: dismantled,
    },
    { activity: 'handOverConnector', args: [ref], before: running, after: dismantled },
    { activity: 'removeConnector', args: [ref, connector], before: running, after: dismantled },
    {
      activity: 'removeSlot',
      args: [ref, slot],
      before: () => inTurn(running, () => act('removeConnector', ref, connector)),
      after: dismantled,
    },
  ];
}

/**
 * Returns the cases for a shared table: the pause and the move of the sink, the switch in both
 * directions, and the removal of the batch role's privileges.
 */
export function sharedTableCases({ ref, act, restore }: Stage): CrashCase[] {
  const names = namesOf(ref.spec, 1);
  const { database } = ref.spec.spec.source.postgres;
  const fence = { ref, token: 'mine', attempt: 1, epoch: 1, evidenceId: 'ev' };
  const topics = plannedTopics(ref.spec, 1).map((name): OwnedObject => ({
    kind: 'topic',
    name,
    where: ref.spec.spec.kafka.brokers.join(','),
  }));
  const made = (): Promise<void> =>
    inTurn(
      () => act('ensureLease', ref),
      () => act('ensureTopics', ref),
      () => act('ensureSinkTable', ref),
      () => act('claimGroup', ref),
      () => act('ensureConnector', ref, 'sink'),
      () => act('resumeConnector', ref, 'sink'),
    );
  const paused = (): Promise<void> =>
    inTurn(
      made,
      () => act('fence', fence),
      () => act('pauseSink', ref),
    );
  const committed = (): Promise<void> => inTurn(paused, () => act('commitCutover', fence));
  const dismantled = (): Promise<void> =>
    inTurn(
      () => act('routeBack', ref),
      () =>
        act('removeConnector', ref, {
          kind: 'connector',
          name: names.sinkConnector,
          where: ref.spec.spec.connector.url,
        }),
      () =>
        act('removeGroup', ref, {
          kind: 'group',
          name: sinkGroup(names),
          where: topics[0]!.where,
        }),
      ...resolve(ref).fence.guards.map(
        ({ trigger }) =>
          () =>
            act('removeTrigger', ref, trigger),
      ),
      () =>
        act('removeSinkTable', ref, {
          kind: 'sink-table',
          name: stagingTable(names),
          where: database,
        }),
      ...[...topics].reverse().map((topic) => () => act('removeTopic', ref, topic)),
      () => act('removeLease', ref, { kind: 'lease', name: names.leaseSchema, where: database }),
      restore,
    );
  return [
    {
      activity: 'pauseSink',
      args: [ref],
      before: () => inTurn(made, () => act('fence', fence)),
      after: dismantled,
    },
    { activity: 'commitCutover', args: [fence], before: paused, after: dismantled },
    { activity: 'moveSink', args: [ref], before: committed, after: dismantled },
    { activity: 'routeBack', args: [ref], before: committed, after: dismantled },
    { activity: 'retireRole', args: [ref], before: () => Promise.resolve(), after: restore },
  ];
}

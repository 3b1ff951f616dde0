// Defines the activities that create and remove owned objects, and that start or pause connectors.
// The file of each kind defines how to create and remove an object of that kind.
import { sinkConnectors, sourceConnectors } from '../../domain/objects/connector.js';
import { pipelineGroups, signalGroups, sinkGroups } from '../../domain/objects/group.js';
import { KINDS, type Removal } from '../../domain/objects/kinds.js';
import { Problem } from '../../domain/failure.js';
import type { MigrationRef, ObjectKind, OwnedObject } from '../../domain/evidence/ledger-rows.js';
import type { Lsn } from '../../domain/values/position.js';
import type { Deps } from '../runtime/deps.js';
import { planned, withPlan, type Planned } from '../runtime/with-plan.js';
import { configOf } from './connector.js';
import { driftOf, untilRunning, withPlanned } from '../capture/connectors/connector-state.js';
import { untilSteady } from './job.js';
import { claimObject, ensureObject, removeObject } from './kinds.js';
import { giveBack } from '../ownership/owned.js';
import type { Site } from './owned-kind.js';
import { moveSink, pauseSink } from './sink-connector.js';
import { isUsers } from './sink-table.js';
import { identifySlot } from './slot.js';
import { demandAsPlanned } from './topic.js';

export type ConnectorRole = 'source' | 'sink';

export function createObjectActivities(deps: Deps) {
  const { secret, systems, ledger } = deps;
  const siteOf = (run: Planned): Site => ({ secret, systems, ledger, ...run });
  const ensure = (kind: ObjectKind) => (run: Planned) => ensureAll(siteOf(run), kind);

  return {
    ...removals(siteOf),
    ...withPlan({
      ensureLease: ensure('lease'),
      ensurePublication: ensure('publication'),
      /**
       * Creates the slot for the initial load `incremental`. The slot must exist before the first
       * row is read, so that it retains all later writes.
       */
      ensureSlot: ensure('slot'),
      /**
       * Claims the slot for the initial load `initial`. The connector creates the slot itself, so
       * that its snapshot and the slot have the same WAL position.
       */
      async claimSlot(run: Planned): Promise<void> {
        for (const slot of KINDS.slot.planned(run.plan)) await claimObject(siteOf(run), slot);
      },
      async identifySlot(run: Planned): Promise<{ restartLsn: Lsn; confirmedLsn: Lsn }> {
        return identifySlot(siteOf(run), KINDS.slot.planned(run.plan)[0]!);
      },
      /** Creates every topic of the plan, and checks that it has the planned settings. */
      async ensureTopics(run: Planned): Promise<void> {
        for (const topic of KINDS.topic.planned(run.plan)) {
          await ensureObject(siteOf(run), topic);
          await demandAsPlanned(siteOf(run), topic);
        }
      },
      /**
       * Creates the sink's table. Returns null if the user created the table, or if there is no
       * sink.
       */
      async ensureSinkTable(run: Planned): Promise<OwnedObject | null> {
        const [table] = KINDS['sink-table'].planned(run.plan);
        if (!table || !run.plan.batch || (await isUsers(siteOf(run), table))) return null;
        await ensureObject(siteOf(run), table);
        return table;
      },
      /** Claims the sink connector's consumer group before Connect creates it. */
      async claimGroup(run: Planned): Promise<void> {
        for (const group of sinkGroups(run.plan)) await claimObject(siteOf(run), group);
      },
      /**
       * Creates the connectors in the state STOPPED. Idempotent. If a connector exists with a
       * different configuration, does not change it and throws Problem `connector-drift`.
       */
      async ensureConnector(run: Planned, role: ConnectorRole): Promise<void> {
        for (const connector of connectorsOf(run, role))
          await ensureConnector(siteOf(run), connector, role);
      },
      /** Resumes the connectors and waits until they and their tasks are running. */
      async resumeConnector(run: Planned, role: ConnectorRole): Promise<void> {
        const rest = systems.connect(run.plan);
        for (const { name } of connectorsOf(run, role)) await rest.resume(name);
        for (const { name } of connectorsOf(run, role)) await untilRunning(rest, name);
      },
      pauseSink: (run: Planned) => pauseSink(siteOf(run)),
      moveSink: (run: Planned) => moveSink(siteOf(run)),
      ensurePipeline: (run: Planned) => ensurePipeline(siteOf(run)),
    }),
  };
}

type Remove = (ref: MigrationRef, object: OwnedObject) => Promise<boolean>;

/**
 * For each kind, returns an activity that removes objects of that kind. The activity's name is the
 * value of `undo` in the kind's description (domain/objects).
 */
function removals(siteOf: (run: Planned) => Site): Readonly<Record<Removal, Remove>> {
  const remove: Remove = (ref, object) => removeObject(siteOf(planned(ref)), object);
  const named = Object.values(KINDS).map(({ undo }) => [undo, remove] as const);
  return Object.fromEntries(named) as Record<Removal, Remove>;
}

async function ensureAll(site: Site, kind: ObjectKind): Promise<void> {
  for (const object of KINDS[kind].planned(site.plan)) await ensureObject(site, object);
}

const connectorsOf = ({ plan }: Planned, role: ConnectorRole): readonly OwnedObject[] =>
  role === 'source' ? sourceConnectors(plan) : sinkConnectors(plan);

/**
 * Returns the objects that the connector itself creates. They are claimed before the connector
 * exists. The claims are released if the connector was certainly not created.
 */
function madeBy({ plan }: Site, role: ConnectorRole): readonly OwnedObject[] {
  if (role === 'sink') return sinkGroups(plan);
  return plan.capture.loading.claimsSlot ? KINDS.slot.planned(plan) : signalGroups(plan);
}

async function ensureConnector(
  site: Site,
  connector: OwnedObject,
  role: ConnectorRole,
): Promise<void> {
  const { name } = connector;
  const stored = () => site.systems.connect(site.plan).config(name);
  const claims = (await stored()) === null ? madeBy(site, role) : [];
  for (const claimed of claims) await claimObject(site, claimed);
  await ensureObject(site, connector).catch((error: unknown) =>
    giveBack(site.ledger, site.ref, claims, error),
  );
  const planned = await configOf(site, connector);
  const drift = driftOf(planned, await stored());
  if (drift.length > 0)
    throw new Problem(
      'connector-drift',
      `connector ${name} differs from the plan in ${withPlanned(drift, planned).join(', ')}`,
    );
}

/**
 * Creates those jobs of the pipeline that do not exist yet, and waits until every job runs
 * steadily. Idempotent, because existing jobs are found by name.
 */
async function ensurePipeline(site: Site): Promise<void> {
  for (const group of pipelineGroups(site.plan)) await claimObject(site, group);
  const jobs = KINDS.job.planned(site.plan);
  for (const job of jobs) await ensureObject(site, job);
  for (const job of jobs) await untilSteady(site, job);
}

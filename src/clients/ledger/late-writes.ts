// Defines the statements that store the status of a run and the state of an object. An attempt of
// an activity may hang, for example with a lost connection or a suspended worker. Meanwhile,
// another attempt and the run continue. The statement of the attempt that hung then arrives too
// late, and must not replace newer values.

/**
 * Temporal's servers give each status its time. The clocks of two servers are assumed to differ by
 * less than this.
 */
const CLOCKS_DIFFER = '5 seconds';

/**
 * Stores a status, unless the ledger has one that is newer by more than CLOCKS_DIFFER. The
 * generation never decreases, even if the run was reset. The names of slots and topics contain the
 * generation, and must not be used again.
 */
export const STORE_STATUS = `
INSERT INTO sluice.migration AS m (name, iteration, status, generation, outcome, plan_hash, spec, workflow_id, run_key, ended_at, namespace, namespace_id, status_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, CASE WHEN $5::text IS NOT NULL THEN now() END, $10, $11, $12)
ON CONFLICT (name, iteration) DO UPDATE SET status = excluded.status, generation = greatest(m.generation, excluded.generation), outcome = excluded.outcome,
  spec = CASE WHEN m.plan_hash = excluded.plan_hash THEN m.spec ELSE excluded.spec END, plan_hash = excluded.plan_hash, updated_at = now(),
  ended_at = CASE WHEN excluded.outcome IS NULL THEN NULL ELSE coalesce(m.ended_at, now()) END,
  namespace = coalesce(m.namespace, excluded.namespace), namespace_id = coalesce(m.namespace_id, excluded.namespace_id),
  status_at = greatest(m.status_at, excluded.status_at)
WHERE coalesce(m.status_at <= excluded.status_at + interval '${CLOCKS_DIFFER}', true)`;

/**
 * Stores the state of an object. Returns a row if the state was stored. No state is stored if a
 * later run of the name has the object. The state `registered` (a claim) is not stored if the run
 * has ended or has begun a later generation, or if the name has a later run. The state `created` is
 * not stored if the object was already removed or handed over.
 */
export const STORE_OBJECT = `
INSERT INTO sluice.object AS o (name, kind, object_name, location, iteration, generation, state)
SELECT $1::text, $2::text, $3::text, $4::text, $5::int, $6::int, $7::text
 WHERE $7::text <> 'registered' OR NOT EXISTS (SELECT FROM sluice.migration AS m
   WHERE m.name = $1 AND (m.iteration > $5::int OR m.iteration = $5::int AND (m.outcome IS NOT NULL OR m.generation > $6::int)))
ON CONFLICT (name, kind, object_name, location) DO UPDATE SET state = excluded.state, iteration = excluded.iteration, generation = excluded.generation, at = now()
  WHERE o.iteration <= excluded.iteration AND (excluded.state <> 'created' OR o.state IN ('registered', 'created'))
RETURNING 1`;

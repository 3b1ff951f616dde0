// Can the source offer change capture?
import { losesRows } from '../facts.js';
import { couldNotTell, fired, notFired, type Rule } from './rule.js';

export const sourceOffersCdc: Rule = {
  id: 'source-cannot-offer-cdc',
  rationale:
    'Without change capture, a stream must poll. Polling misses deletes. It also misses updates that do not change the timestamp.',
  ask: ({ process, source, tables }) => {
    const needsDeletes = tables.known && tables.value.some(losesRows);
    if (process.cdc === 'forbidden')
      return needsDeletes
        ? fired(
            1,
            `change capture is forbidden, and polling cannot see the deletes in ${tables.value
              .filter(losesRows)
              .map((t) => t.table)
              .join(', ')}`,
            { decides: true },
          )
        : fired(0.5, 'change capture is forbidden', {
            work: 'prove that the tables are append-only or have a timestamp of every change; a JDBC source may then be enough',
          });
    if (!source.known) return couldNotTell(source.why);
    const lacks = [
      ...(source.value.isPrimary ? [] : ['it is a standby']),
      ...(source.value.encoding === 'SQL_ASCII' ? ['its encoding is SQL_ASCII'] : []),
      ...(source.value.walLevel === 'logical' ? [] : [`wal_level = ${source.value.walLevel}`]),
      ...(source.value.mayReplicate ? [] : ['this role may not replicate']),
      ...(source.value.slotsFree >= 2
        ? []
        : [`${source.value.slotsFree} of 2 needed replication slots are free`]),
    ];
    return lacks.length > 0
      ? fired(0.3, lacks.join(', '), { work: `prepare the source: ${lacks.join(', ')}` })
      : notFired(
          `PostgreSQL ${source.value.version}, wal_level logical, ${source.value.slotsFree} free slots`,
        );
  },
};

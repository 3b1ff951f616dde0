// `npm run bench -- jdbc-source [--rows 1000000]` measures how fast Sluice's JDBC source reads a
// three-way join into a topic. For comparison, it measures a COPY of the same query whose rows are
// discarded. No reader can be faster than that. It also measures Debezium's initial snapshot and
// Sluice's copy, both on a table with the join's result. It needs the local stack.
import { copyRows } from '../src/clients/postgres/copy-stream.js';
import { QUERY, say, skipRow, timed, withJoinedRows } from './joined-rows.js';
import { copyLoad, load, specOf } from './loads.js';

export async function jdbcSourceBench(rows: number): Promise<void> {
  await withJoinedRows(rows, async (client, run) => {
    const copied = await timed(() =>
      copyRows(client, `${QUERY} ORDER BY o.id`, { rowsPerSecond: 0 }, skipRow),
    );
    say('COPY of the query, rows discarded', rows, copied);
    say(
      'our JDBC source, three-way join, one task',
      rows,
      await load(
        specOf(`bench-jdbc-${run}`, {
          mode: 'incrementing',
          incrementingColumn: 'id',
          delay: '1s',
          query: QUERY,
        }),
        rows,
      ),
    );
    say(
      "Debezium's initial snapshot of the joined rows as a table",
      rows,
      await load(specOf(`bench-debezium-${run}`, null), rows),
    );
    say(
      'our copy of that table, two sessions',
      rows,
      await copyLoad(specOf(`bench-copy-${run}`, null), rows),
    );
  });
}

// Writes to the table `accounts`. It is a separate process, because the tests' process blocks while
// it waits for a command. Each committed transaction updates, deletes and inserts rows. Some rows
// are written often (the hot rows) and some rarely. Some transactions are rolled back, and some
// stay open for a while. Usage: node writer.mjs DATABASE TRANSACTIONS_PER_SECOND. At SIGTERM, it
// prints the number of its transactions, including those that it rolled back.
import pg from 'pg';

const [database, rate] = [process.argv[2], Number(process.argv[3])];
const started = Date.now();
let done = 0;
let stopping = false;

async function write(lane) {
  const client = new pg.Client({ database });
  client.on('error', () => process.exit(1));
  await client.connect();
  for (let n = lane; !stopping; n += 4) {
    const ahead = (done / rate) * 1000 - (Date.now() - started);
    if (ahead > 5) await new Promise((resolve) => setTimeout(resolve, ahead));
    const cold = 2000 + lane * 1000 + (n % 400);
    await client.query(
      `BEGIN; UPDATE accounts SET balance = balance + 0.01 WHERE id = ${1 + lane * 15 + (n % 15)}; DELETE FROM accounts WHERE id = ${cold}`,
    );
    // some transactions stay open long enough for a window to take its snapshot meanwhile
    if (n % 97 === 0) await new Promise((resolve) => setTimeout(resolve, 300));
    if (n % 11 === 0) await client.query('ROLLBACK');
    else
      await client.query(
        `INSERT INTO accounts VALUES (${cold}, ${n}, 'again'); UPDATE accounts SET note = 'twice' WHERE id = ${cold}; COMMIT`,
      );
    done += 1;
  }
  await client.end();
}

process.on('SIGTERM', () => (stopping = true));
await Promise.all([0, 1, 2, 3].map(write));
console.log(done);

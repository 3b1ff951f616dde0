// Fakes ksqlDB's REST API, so that the tests need no ksqlDB server. The fake speaks the documented
// protocol. It reports CREATE, DROP and TERMINATE as queued, and a moment later as successful.
// Names without quotes are upper-cased. An existing name is refused, unless the statement has IF
// NOT EXISTS. A stream or table into which a query writes cannot be dropped.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Source {
  readonly kind: 'STREAM' | 'TABLE';
  readonly topic: string;
}
interface Query {
  readonly id: string;
  readonly sink: string;
  state: string;
}

class Refused extends Error {}

export class FakeKsqlDb {
  readonly sources = new Map<string, Source>();
  readonly queries = new Map<string, Query>();
  /** Statements that change something, in order. Some of them may have been refused. */
  readonly executed: string[] = [];
  /** Properties of the last request that contained statements. */
  properties: object = {};
  /** The number of coming answers that the fake loses after it has executed the statements. */
  losesAnswers = 0;
  readonly #statuses = new Map<string, { status: string; message: string }>();
  #server: Server | undefined;
  #sequence = 0;

  async start(): Promise<string> {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { code, body } = this.#answer(
          request.method!,
          request.url!,
          Buffer.concat(chunks).toString(),
        );
        if (code === 0) return void request.socket.destroy();
        response
          .writeHead(code, { 'content-type': 'application/vnd.ksql.v1+json' })
          .end(JSON.stringify(body));
      });
    });
    await new Promise<void>((resolve) => this.#server!.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  #answer(method: string, path: string, text: string): { code: number; body: unknown } {
    if (method === 'GET' && path === '/info')
      return {
        code: 200,
        body: {
          KsqlServerInfo: {
            version: '0.29.0',
            kafkaClusterId: 'fake',
            ksqlServiceId: 'default_',
            serverStatus: 'RUNNING',
          },
        },
      };
    if (method === 'GET' && path.startsWith('/status/')) {
      const status = this.#statuses.get(decodeURIComponent(path.slice('/status/'.length)));
      return status
        ? { code: 200, body: status }
        : {
            code: 404,
            body: { '@type': 'generic_error', error_code: 40400, message: 'Command not found' },
          };
    }
    if (method !== 'POST' || path !== '/ksql')
      return {
        code: 404,
        body: { '@type': 'generic_error', error_code: 40400, message: 'not found' },
      };
    const { ksql, streamsProperties } = JSON.parse(text) as {
      ksql: string;
      streamsProperties: object;
    };
    this.properties = streamsProperties;
    try {
      const body = ksql
        .split(/;\s*/)
        .filter(Boolean)
        .map((statement) => this.#execute(statement));
      if (this.losesAnswers > 0) {
        this.losesAnswers -= 1;
        return { code: 0, body: null };
      }
      return { code: 200, body };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return {
        code: 400,
        body: {
          '@type': 'statement_error',
          error_code: 40001,
          message: error.message,
          statementText: ksql,
          entities: [],
        },
      };
    }
  }

  #execute(sql: string): object {
    const listed = (kind: string): object[] =>
      [...this.sources]
        .filter(([, s]) => s.kind === kind)
        .map(([name, s]) => ({
          type: kind,
          name,
          topic: s.topic,
          keyFormat: 'JSON',
          valueFormat: 'JSON',
          isWindowed: false,
        }));
    if (/^list streams$/i.test(sql))
      return { '@type': 'streams', statementText: sql, streams: listed('STREAM'), warnings: [] };
    if (/^list tables$/i.test(sql))
      return { '@type': 'tables', statementText: sql, tables: listed('TABLE'), warnings: [] };
    if (/^show queries$/i.test(sql)) {
      const queries = [...this.queries.values()].map(({ id, sink, state }) => ({
        queryString: '',
        sinks: [sink],
        sinkKafkaTopics: [sink],
        id,
        statusCount: { [state]: 1 },
        queryType: 'PERSISTENT',
        state,
      }));
      return { '@type': 'queries', statementText: sql, queries, warnings: [] };
    }
    this.executed.push(sql);
    const terminate = /^terminate (\S+)$/i.exec(sql);
    if (terminate) {
      if (!this.queries.delete(terminate[1]!))
        throw new Refused(`Unknown queryId: ${terminate[1]}`);
      return this.#command(`terminate/${terminate[1]}/execute`, 'Query terminated.');
    }
    const drop = /^drop (stream|table) if exists `([^`]+)`$/i.exec(sql);
    if (drop) {
      const writer = [...this.queries.values()].find((q) => q.sink === drop[2]);
      if (writer)
        throw new Refused(
          `Cannot drop ${drop[2]}. The following queries write into this source: [${writer.id}].`,
        );
      this.sources.delete(drop[2]!);
      return this.#command(`${drop[1]!.toLowerCase()}/\`${drop[2]}\`/drop`, 'Source dropped.');
    }
    return this.#create(sql);
  }

  #create(sql: string): object {
    const create = /^create (stream|table) (if not exists )?(?:(\w+)|`([^`]+)`)([\s\S]*)$/i.exec(
      sql,
    );
    if (!create) throw new Refused(`line 1:1: mismatched input '${sql.split(' ')[0]}'`);
    const kind = create[1]!.toUpperCase() as Source['kind'];
    const name = create[4] ?? create[3]!.toUpperCase();
    const rest = create[5]!;
    if (this.sources.has(name)) {
      if (create[2])
        return {
          '@type': 'warning_entity',
          message: `Cannot add ${kind.toLowerCase()} \`${name}\`: A source with the same name already exists.`,
        };
      throw new Refused(
        `Cannot add ${kind.toLowerCase()} '${name}': A ${kind.toLowerCase()} with the same name already exists`,
      );
    }
    const from = [...rest.matchAll(/\b(?:from|join)\s+(\w+)/gi)].map((match) =>
      match[1]!.toUpperCase(),
    );
    const missing = from.find((source) => !this.sources.has(source));
    if (missing) throw new Refused(`${missing} does not exist.`);
    this.sources.set(name, { kind, topic: /kafka_topic\s*=\s*'([^']+)'/i.exec(rest)?.[1] ?? name });
    this.#sequence += 1;
    if (from.length > 0) {
      const id = `C${kind[0]}AS_${name}_${this.#sequence}`;
      this.queries.set(id, { id, sink: name, state: 'RUNNING' });
    }
    return this.#command(`${kind.toLowerCase()}/\`${name}\`/create`, `${kind} created`);
  }

  /**
   * Reports the statement as queued, and a moment later as successful. A client must ask again for
   * the result.
   */
  #command(commandId: string, message: string): object {
    const status = { status: 'QUEUED', message: 'Statement written to command topic' };
    this.#statuses.set(commandId, status);
    setTimeout(() => Object.assign(status, { status: 'SUCCESS', message }), 50);
    return {
      '@type': 'currentStatus',
      commandId,
      commandStatus: { ...status },
      commandSequenceNumber: this.#sequence,
      warnings: [],
    };
  }
}

// Deploys a pipeline to ksqlDB through the server's REST API. Each statement except SET creates one
// stream or table. If the statement has AS SELECT, a query fills the stream or table, and the
// server chooses the query's name.
import { KsqlDb, KsqlError, type KsqlQuery } from '../../clients/http/ksqldb-rest.js';
import { fillIn } from '../../connectors/flink-sql.js';
import { Problem } from '../../domain/failure.js';
import {
  ksqlPlan,
  type KsqlPlan,
  type KsqlStatement,
} from '../../domain/pipelines/ksql-statements.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { PipelineHost } from './host.js';

export class KsqlHost implements PipelineHost {
  readonly url: string;
  readonly names: readonly string[];
  readonly #server: KsqlDb;
  readonly #plan: KsqlPlan;

  constructor(plan: ResolvedPlan) {
    const { url, statements } = plan.spec.pipeline!;
    this.url = url!;
    this.#server = new KsqlDb(this.url);
    this.#plan = ksqlPlan(fillIn(statements!.sql, plan, plan.generation));
    this.names = this.#plan.statements.map((s) => s.name);
  }

  async product(): Promise<string> {
    const { version, serviceId } = await this.#server.server();
    return `ksqlDB ${version}, service ${serviceId}`;
  }

  /**
   * Checks that the server answers. The server cannot check the statements in advance, because
   * ksqlDB plans a statement only if the streams that it reads exist. The text of the statements
   * was checked when this object was created.
   */
  async judge(): Promise<string | { detail: string; remedy: string }> {
    await this.#server.sources();
    return `${this.names.length} statements, ${this.#plan.statements.filter((s) => s.isQuery).length} of them with a query; ksqlDB checks each when it is created`;
  }

  async isThere(name: string): Promise<boolean> {
    return (await this.#server.sources()).includes(name);
  }

  async state(name: string): Promise<{ running: string } | { not: string }> {
    if (!(await this.isThere(name))) return { not: 'it does not exist' };
    if (!this.#statement(name).isQuery) return { running: 'declared' };
    const queries = await this.#queriesInto(name);
    const ill = queries.find((query) => query.state !== 'RUNNING');
    if (queries.length === 0) return { not: 'no query fills it' };
    return ill
      ? { not: `query ${ill.id} is ${ill.state}` }
      : { running: queries.map((query) => query.id).join() };
  }

  async create(name: string): Promise<void> {
    const { sql } = this.#statement(name);
    try {
      await this.#server.run(sql, this.#plan.properties);
    } catch (error) {
      if (!(error instanceof KsqlError)) throw error;
      // an earlier attempt may have created it without receiving the answer
      if (await this.isThere(name)) return;
      throw new Problem(
        'pipeline-failed',
        `ksqlDB refused "${sql.replaceAll(/\s+/g, ' ').slice(0, 80)}": ${error.message}`,
      );
    }
  }

  /**
   * Removes a stream or table, but keeps its topic. First ends the queries that write to it,
   * because ksqlDB refuses to drop it while a query writes to it.
   */
  async remove(name: string): Promise<void> {
    for (const { id } of await this.#queriesInto(name)) await this.#server.run(`TERMINATE ${id}`);
    await this.#server.run(`DROP ${this.#statement(name).kind} IF EXISTS \`${name}\``);
  }

  /** Returns the groups of the queries. ksqlDB names a group after its service and the query. */
  async groups(): Promise<readonly string[]> {
    const { serviceId } = await this.#server.server();
    const mine = (await this.#server.queries()).filter((query) =>
      query.sinks.some((sink) => this.names.includes(sink)),
    );
    return mine.map(({ id }) => `_confluent-ksql-${serviceId}query_${id}`);
  }

  async #queriesInto(name: string): Promise<KsqlQuery[]> {
    return (await this.#server.queries()).filter((query) => query.sinks.includes(name));
  }

  #statement(name: string): KsqlStatement {
    return this.#plan.statements.find((s) => s.name === name)!;
  }
}

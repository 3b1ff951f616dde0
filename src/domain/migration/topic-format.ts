// Names the formats of records in Kafka, and says which topics of a spec have which format.

/** The formats in which Kafka Connect may write the topics of the tables. */
export type TableFormat = 'json' | 'avro';

/** The formats of the topics that a pipeline writes to. */
export type RecordFormat = TableFormat | 'json-schema' | 'protobuf';

/** A topic that the pipeline writes to: its output, or a stage. */
interface Written {
  readonly format?: RecordFormat | undefined;
}

interface WithTopics {
  readonly kafka: { readonly format?: TableFormat | undefined };
  readonly batch?: { readonly stages: readonly Written[] } | undefined;
  readonly pipeline?: { readonly output: Written } | undefined;
}

export const tableFormatOf = ({ kafka }: Pick<WithTopics, 'kafka'>): TableFormat =>
  kafka.format ?? 'json';

/** Returns the format of a topic that the pipeline writes to. */
export const formatOf = ({ format = 'json' }: Written): RecordFormat => format;

/** The format of a topic, and the path of the spec's key that sets it. */
export interface FormatUse {
  readonly format: RecordFormat;
  readonly path: readonly (string | number)[];
}

/** Lists the topics that the pipeline writes to in a format other than JSON. */
export const resultUses = ({ batch, pipeline }: WithTopics): FormatUse[] =>
  [
    ...(batch?.stages ?? []).map((stage, at) => ({
      format: formatOf(stage),
      path: ['batch', 'stages', at, 'format'],
    })),
    ...(pipeline
      ? [{ format: formatOf(pipeline.output), path: ['pipeline', 'output', 'format'] }]
      : []),
  ].filter(({ format }) => format !== 'json');

/** Returns whether any topic of the spec needs the schema registry. */
export const usesRegistry = (spec: WithTopics): boolean =>
  tableFormatOf(spec) !== 'json' || resultUses(spec).length > 0;

// Names the formats of the tables' topics.

/** The formats in which Kafka Connect may write the topics of the tables. */
export type RecordFormat = 'json' | 'avro';

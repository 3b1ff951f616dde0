import type kafkajs from 'kafkajs';

/** Returns a client for the stack that runs. On a secured stack, it logs in as the pipeline. */
export function kafkaClient(): kafkajs.Kafka;

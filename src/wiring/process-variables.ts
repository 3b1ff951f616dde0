// Lists the environment variables of the worker's process: queues, log, HTTP endpoint, webhook,
// version and codec. The commands of the CLI also read the keys of the codec.

/** Names a part of Sluice that reads variables. `verbs` are the commands of the CLI. */
export type ReadBy = 'worker' | 'verbs';

export interface Variable {
  readonly readBy: readonly ReadBy[];
  /** Describes the form of the value. */
  readonly form: string;
  /** Describes what happens without the variable. */
  readonly otherwise: string;
  readonly meaning: string;
}

export const PROCESS_VARIABLES = {
  SLUICE_ZONES: {
    readBy: ['worker'],
    form: 'names such as eu,us',
    otherwise: 'the worker serves the migrations without a zone',
    meaning: 'The zones that the worker serves: the label `zone` of specs.',
  },
  SLUICE_SLOTS: {
    readBy: ['worker'],
    form: 'entries such as data=4,hold=8',
    otherwise: 'steps=40,data=2,watch=1000,hold=4',
    meaning:
      'How many activities run at a time, by kind: short steps, windows (data), long waits (watch), and work under the fence (hold). With 0, the worker does not serve that kind.',
  },
  SLUICE_POLLERS: {
    readBy: ['worker'],
    form: 'number',
    otherwise: 'the number that Temporal uses by default',
    meaning:
      'The maximum number of polls that are open at a time for one queue. The number follows the load.',
  },
  SLUICE_WORKFLOW_CACHE: {
    readBy: ['worker'],
    form: 'number',
    otherwise: "a number that follows the machine's memory",
    meaning: 'The number of workflows that the worker keeps in memory.',
  },
  SLUICE_HTTP_ADDRESS: {
    readBy: ['worker'],
    form: 'host:port',
    otherwise: 'the worker serves no HTTP',
    meaning: 'The address at which the worker serves /metrics, /healthz and /readyz.',
  },
  SLUICE_LOG_LEVEL: {
    readBy: ['worker'],
    form: 'TRACE, DEBUG, INFO, WARN or ERROR',
    otherwise: 'WARN',
    meaning: "The lowest level of the lines in the worker's log.",
  },
  SLUICE_LOG_FORMAT: {
    readBy: ['worker'],
    form: 'text or json',
    otherwise: 'text',
    meaning: "The format of the worker's log. Each line of a migration has the migration's name.",
  },
  SLUICE_WEBHOOK_URL: {
    readBy: ['worker'],
    form: 'URL',
    otherwise: 'no notices are sent',
    meaning: 'The webhook that receives notices, for example when a migration is blocked.',
  },
  SLUICE_WEBHOOK_FORMAT: {
    readBy: ['worker'],
    form: 'generic or slack',
    otherwise: 'generic',
    meaning: 'The form of the notices.',
  },
  SLUICE_WEBHOOK_TOKEN: {
    readBy: ['worker'],
    form: 'text',
    otherwise: 'no Authorization header is sent',
    meaning: 'The bearer token for the webhook.',
  },
  SLUICE_CODEC_KEYS: {
    readBy: ['worker', 'verbs'],
    form: 'entries such as k2=file:/path;k1=env:NAME',
    otherwise: 'payloads are not encrypted',
    meaning:
      'The keys of the payload codec, 32 bytes in base64 each. The first encrypts; all decrypt.',
  },
  SLUICE_DEPLOYMENT: {
    readBy: ['worker'],
    form: 'name',
    otherwise: 'the worker has no version for Temporal',
    meaning: 'The name of the worker deployment at Temporal. It needs SLUICE_BUILD_ID.',
  },
  SLUICE_BUILD_ID: {
    readBy: ['worker'],
    form: 'text such as 1.4.0',
    otherwise: 'the worker has no version for Temporal',
    meaning: 'The version of this worker in its deployment.',
  },
} as const satisfies Record<string, Variable>;

// Lists the environment variables that Sluice reads. (Temporal's own loader also reads some other
// TEMPORAL_* variables.) The configuration reads them by these names. `sluice worker --help` and
// the reference page print the list.

import { PROCESS_VARIABLES, type ReadBy, type Variable } from './process-variables.js';

export type { ReadBy, Variable };

const BOTH = ['worker', 'verbs'] as const;

export const VARIABLES = {
  TEMPORAL_ADDRESS: {
    readBy: BOTH,
    form: 'host:port',
    otherwise: 'the address of the profile, or 127.0.0.1:7233',
    meaning: 'The address of the Temporal server.',
  },
  TEMPORAL_NAMESPACE: {
    readBy: BOTH,
    form: 'name',
    otherwise: 'the namespace of the profile, or default',
    meaning: 'The Temporal namespace in which migrations run.',
  },
  TEMPORAL_PROFILE: {
    readBy: BOTH,
    form: 'name',
    otherwise: 'default',
    meaning: 'The profile of temporal.toml that is used.',
  },
  TEMPORAL_CONFIG_FILE: {
    readBy: BOTH,
    form: 'path',
    otherwise: "the file temporal.toml in the user's configuration folder of Temporal",
    meaning: 'The file with the profiles.',
  },
  TEMPORAL_API_KEY: {
    readBy: BOTH,
    form: 'text',
    otherwise: 'no API key is sent',
    meaning: 'The API key for the Temporal server; it also switches TLS on.',
  },
  TEMPORAL_TLS: {
    readBy: BOTH,
    form: 'true or false',
    otherwise: 'the setting of the profile',
    meaning: 'Whether connections to Temporal use TLS.',
  },
  TEMPORAL_TLS_CLIENT_CERT_PATH: {
    readBy: BOTH,
    form: 'path',
    otherwise: 'no client certificate',
    meaning: 'The PEM file with the client certificate for Temporal.',
  },
  TEMPORAL_TLS_CLIENT_KEY_PATH: {
    readBy: BOTH,
    form: 'path',
    otherwise: 'no client certificate',
    meaning: 'The PEM file with the key of the client certificate.',
  },
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: {
    readBy: BOTH,
    form: 'path',
    otherwise: "the machine's certificate authorities",
    meaning: 'The PEM file with the certificate authority of the Temporal server.',
  },
  TEMPORAL_TLS_SERVER_NAME: {
    readBy: BOTH,
    form: 'name',
    otherwise: 'the host of the address',
    meaning: 'The name that the certificate of the Temporal server must have.',
  },
  TEMPORAL_UI_URL: {
    readBy: ['verbs'],
    form: 'URL',
    otherwise: 'no links are printed',
    meaning: "The URL of Temporal's Web UI, for links to a run.",
  },
  SLUICE_LEDGER_URL: {
    readBy: BOTH,
    form: 'postgres://user:password@host:port/database',
    otherwise: 'the worker does not start, and commands that need the ledger fail',
    meaning: 'The database of the ledger. The worker creates the schema `sluice` in it.',
  },
  SLUICE_SECRETS: {
    readBy: BOTH,
    form: 'entries such as env:NAME@host;file:/folder',
    otherwise: 'SLUICE_SECRET_*, PGPASSWORD and the usual folders are allowed',
    meaning: 'The secrets that a spec may name, and the hosts that may receive each secret.',
  },
  'SLUICE_SECRET_*': {
    readBy: BOTH,
    form: 'text',
    otherwise: 'a run whose spec names it is blocked as permission-denied',
    meaning: 'A secret that a spec may name, such as the password of the source database.',
  },
  PGPASSWORD: {
    readBy: BOTH,
    form: 'text',
    otherwise: 'a run whose spec names it is blocked as permission-denied',
    meaning: 'A password that a spec may name. It is sent only to this machine and to PGHOST.',
  },
  PGHOST: {
    readBy: BOTH,
    form: 'host',
    otherwise: 'PGPASSWORD goes to this machine only',
    meaning: 'One more host that may receive PGPASSWORD.',
  },
  XDG_CONFIG_HOME: {
    readBy: BOTH,
    form: 'path',
    otherwise: '~/.config',
    meaning: 'The folder whose `sluice/secrets` may hold secret files.',
  },
  KUBERNETES_SERVICE_HOST: {
    readBy: BOTH,
    form: 'host, which Kubernetes sets in each pod',
    otherwise: 'a spec with control: strimzi must name its API server',
    meaning:
      "The Kubernetes API of this process's cluster. It gets the token of the pod's service account.",
  },
  KUBERNETES_SERVICE_PORT: {
    readBy: BOTH,
    form: 'port, which Kubernetes sets in each pod',
    otherwise: '443',
    meaning: 'The port of that API.',
  },
  SLUICE_APPROVERS_FILE: {
    readBy: ['worker'],
    form: 'path of a YAML list of { name, publicKey, roles }',
    otherwise: 'no decision can be authenticated',
    meaning: 'The public keys of the people who may decide.',
  },
  SLUICE_STATE_DIR: {
    readBy: ['worker'],
    form: 'path',
    otherwise: 'the folder sluice-state in the temporary folder',
    meaning:
      'The folder in which the worker saves what it has read from topics. Without it, a restarted worker reads the topics again.',
  },
  SLUICE_WINDOW_MEMORY: {
    readBy: ['worker'],
    form: 'size such as 512MiB',
    otherwise: '1GiB',
    meaning:
      'The memory that all windows of the worker may use for keys. A table that needs more is compared in parts, on disk.',
  },
  SLUICE_SNAPSHOT_BYTES: {
    readBy: ['worker'],
    form: 'size such as 512MiB',
    otherwise: '512MiB',
    meaning:
      'The maximum size of a table that is read in one snapshot. A larger table is read range by range.',
  },
  SLUICE_TASK_QUEUE: {
    readBy: BOTH,
    form: 'name',
    otherwise: 'migrations',
    meaning: 'The task queue of migrations. The names of the other queues begin with it.',
  },
  ...PROCESS_VARIABLES,
  SLUICE_OUTPUT: {
    readBy: ['verbs'],
    form: 'a format that --output accepts, such as json',
    otherwise: 'the default of each command',
    meaning: 'The output format of commands.',
  },
} as const satisfies Record<string, Variable>;

export type VariableName = keyof typeof VARIABLES;

export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a listed variable. An unlisted name does not compile. */
export const read = (env: Environment, name: VariableName): string | undefined => env[name];

/** Lists the variables that one part of Sluice reads, in the order of VARIABLES. */
export const variablesOf = (part: ReadBy): [string, Variable][] =>
  Object.entries<Variable>(VARIABLES).filter(([, { readBy }]) => readBy.includes(part));

/** Formats the variables of the worker for its help, one paragraph each. */
export function workerHelp(): string {
  const paragraphs = variablesOf('worker').map(
    ([name, { form, otherwise, meaning }]) =>
      `  ${name} (${form})\n      ${meaning}\n      Without it: ${otherwise}.`,
  );
  return ['', 'Environment:', ...paragraphs].join('\n');
}

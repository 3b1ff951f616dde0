// Import rules of the architecture (ARCHITECTURE.md). Each says what to do instead. One more is in
// test/tidy.test.ts: workflows name activities only by `import type`, which this tool cannot see.
/** A file directly in src: the wiring. */
const FILE = '[^/]+\\.ts$';
const except = (...folders) => `^src/(?!(${folders.join('|')})/)`;
/** The rooms that each room of src/activities imports. Every room also imports `runtime`. */
const ROOMS = {
  runtime: [],
  ownership: [],
  pipelines: [],
  barrier: ['pipelines'],
  capture: ['barrier', 'ownership'],
  objects: ['capture', 'ownership', 'pipelines'],
  cutover: ['barrier', 'capture', 'ownership'],
  guard: ['capture', 'ownership'],
  checks: ['capture', 'cutover', 'objects', 'pipelines'],
  windows: ['barrier', 'capture', 'checks', 'cutover', 'pipelines'],
  proofs: ['barrier', 'windows'],
};
const roomRules = Object.entries(ROOMS).map(([room, uses]) => ({
  name: `${room}-imports-only-its-rooms`,
  severity: 'error',
  comment: 'a new arrow between rooms needs an entry in ROOMS, and a reason in the commit',
  from: { path: `^src/activities/${room}/` },
  to: { path: `^src/activities/(?!(${[room, 'runtime', ...uses].join('|')})/)` },
}));
module.exports = {
  forbidden: [
    ...roomRules,
    {
      name: 'domain-is-pure',
      severity: 'error',
      comment: 'domain imports only domain: pass what it needs as arguments',
      from: { path: '^src/domain/' },
      to: { pathNot: '^src/domain/' },
    },
    {
      name: 'compare-is-pure',
      severity: 'error',
      comment: 'the comparison core reads nothing itself: activities feed it',
      from: { path: '^src/compare' },
      to: { pathNot: '^src/(compare|domain)' },
    },
    {
      name: 'workflows-import-only-domain',
      severity: 'error',
      comment: 'workflows decide and wait: effects are activities, named by `import type`',
      from: { path: '^src/workflows' },
      to: { path: except('workflows', 'domain', 'activities') },
    },
    {
      name: 'workflows-use-no-node',
      severity: 'error',
      comment: 'workflows are deterministic: no Node built-ins, no npm but Temporal',
      from: { path: '^src/workflows' },
      to: { pathNot: '^(src/|node_modules/@temporalio/(workflow|common))' },
    },
    {
      name: 'connectors-are-pure',
      severity: 'error',
      from: { path: '^src/connectors' },
      to: { path: except('connectors', 'domain') },
    },
    {
      name: 'manifest-knows-no-effects',
      severity: 'error',
      from: { path: '^src/manifest' },
      to: { path: except('manifest', 'domain', 'connectors') },
    },
    {
      name: 'assess-is-pure',
      severity: 'error',
      comment: 'assess judges facts: activities/checks/measure-portfolio.ts reads them',
      from: { path: '^src/assess' },
      to: { path: except('assess', 'domain', 'manifest') },
    },
    {
      name: 'clients-know-only-domain',
      severity: 'error',
      from: { path: '^src/clients' },
      to: { path: except('clients', 'domain') },
    },
    {
      name: 'activities-know-no-workflows',
      severity: 'error',
      from: { path: '^src/activities' },
      to: { path: '^src/(workflows|cli|report|worker)(/|.ts)' },
    },
    {
      name: 'report-is-pure',
      severity: 'error',
      from: { path: '^src/report' },
      to: { path: except('report', 'domain', 'assess') },
    },
    {
      name: 'cli-runs-only-read-only-checks',
      severity: 'error',
      comment: 'the command line acts through the workflow, never by itself',
      from: { path: '^src/cli/' },
      to: { path: '^src/activities/(?!(runtime/deps|checks|objects/leftovers))' },
    },
    {
      name: 'cli-never-loads-the-worker-but-to-run-it',
      severity: 'error',
      from: { path: '^src/cli/(?!worker)' },
      to: { path: '^src/worker' },
    },
    {
      name: 'wiring-knows-only-domain-and-clients',
      severity: 'error',
      comment: 'the wiring reads variables and makes clients; only worker.ts also takes all activities',
      from: { path: `^src/(?!worker)${FILE}` },
      to: { path: '^src/', pathNot: `^src/(domain/|clients/|${FILE})` },
    },
    {
      name: 'worker-composes-the-activities',
      severity: 'error',
      comment: 'the process composes clients and activities; it finds the workflows by path',
      from: { path: '^src/worker' },
      to: { path: '^src/', pathNot: `^src/(domain/|clients/|activities/|${FILE})` },
    },
    {
      name: 'only-the-command-line-reads-the-wiring',
      severity: 'error',
      comment: 'take what you need as an argument: a variable is read once, in config.ts',
      from: { path: '^src/(?!cli/)[^/]+/' },
      to: { path: `^src/${FILE}` },
    },
    {
      name: 'only-the-worker-composes-all-rooms',
      severity: 'error',
      comment: 'activities/index.ts imports every room: import the room that has what you need',
      from: { path: '^src/', pathNot: '^src/(worker|workflows/call)' },
      to: { path: '^src/activities/index' },
    },
    {
      name: 'nothing-imports-test',
      severity: 'error',
      from: { path: '^(src|stack|examples)' },
      to: { path: '^test' },
    },
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    tsPreCompilationDeps: 'specify',
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      conditionNames: ['import', 'require', 'node', 'default'],
    },
    tsConfig: { fileName: 'tsconfig.json' },
  },
};

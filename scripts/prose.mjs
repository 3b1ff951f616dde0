// `npm run prose [-- PATH ...]` lists sentences in .ts, .mjs and .md files that are hard to read.
// With `--check`, it fails if comments in src have too many fragments, or if a comment or document
// has a banned word.
// The rules are simple: they miss some fragments and flag a few good sentences. The check therefore
// allows a small rate of fragments.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './installed.mjs';

const CODE = ['src', 'stack', 'examples', 'bench', 'scripts', 'test'];
const DOCUMENTS = [
  'README.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
];
const MAX_WORDS = 25;
const MAX_FRAGMENTS = 0.05;

const BANNED =
  /\b(anew|mend(?:s|ed|ing)?|shall|told|whoever|whom|whomever|anybody|nobody|somebody|so long|(?:go|goes|going|went) on|in spite of|as ever|of our own|(?:is|are|be|been|not) had)\b|\bstands\b(?! for| by)/gi;

// A sentence must not begin with a word of the first list, unless it is a question. A sentence that
// begins with a word of the second list needs a comma and a main clause.
const RELATIVE = /^(?:of|who|whom|whose|whoever|what|whatever|which|whichever|how|why|whether)\b/i;
const INTRODUCTION =
  /^(?:about|above|across|after|against|among|around|as|at|because|before|behind|below|beside|besides|between|beyond|by|during|for|from|in|into|on|onto|over|per|since|through|to|toward|towards|under|unless|until|when|where|while|with|within|without)\b/i;
const MAIN_CLAUSE =
  /,\s+(?!(?:and|or|but|not|so that|which|who|whose|where|as|because|than|that)\b)\S+\s+\S/;

function isFragment(sentence) {
  if (RELATIVE.test(sentence)) return !sentence.endsWith('?');
  return INTRODUCTION.test(sentence) && !MAIN_CLAUSE.test(sentence);
}

/** Groups consecutive comment lines; a comment after code is a separate group. */
function comments(lines) {
  const groups = [];
  let open = false;
  lines.forEach((line, index) => {
    const whole = /^\s*(?:\/\/+|\/\*+|\*(?=[\s/]|$))\s?(.*?)\s*(?:\*\/)?$/.exec(line)?.[1];
    const text = whole ?? /\s\/\/ (.*)$/.exec(line)?.[1];
    const isProse = text && !/^(?:oxfmt-|oxlint-|@|\/)/.test(text);
    if (isProse && whole && open) groups.at(-1).push({ line: index + 1, text });
    else if (isProse) groups.push([{ line: index + 1, text }]);
    open = Boolean(isProse && whole);
  });
  return groups;
}

/**
 * Groups the lines of each paragraph and list item. Rows of tables are marked: their cells may be
 * phrases.
 */
function paragraphs(lines) {
  const groups = [];
  let fenced = false;
  let open = false;
  lines.forEach((line, index) => {
    if (/^\s*```/.test(line)) fenced = !fenced;
    const skip = fenced || /^\s*(?:```|#|!\[|$)/.test(line);
    const table = /^\s*\|/.test(line);
    const starts = table || /^\s*(?:[-*]|\d+\.)\s/.test(line);
    const item = { line: index + 1, text: line.trim().replace(/^(?:[-*]|\d+\.)\s+/, ''), table };
    if (!skip && open && !starts) groups.at(-1).push(item);
    else if (!skip) groups.push([item]);
    open = !skip && !table;
  });
  return groups;
}

/** Splits a group into sentences, each with the line on which it begins. */
function sentences(group) {
  const text = group.map((part) => part.text).join('\n');
  const found = [];
  let from = 0;
  for (const end of text.matchAll(
    /(?<=[.!?][)"'`*’”]*)(?<!\b(?:e\.g|i\.e|vs|etc)\.)\s+(?=["'`([*]*[A-Z`])|$/g,
  )) {
    const sentence = text.slice(from, end.index);
    const line = group[text.slice(0, from).split('\n').length - 1].line;
    if (/\S+\s+\S+\s+\S/.test(sentence))
      found.push({ line, text: sentence.replaceAll('\n', ' '), table: group[0].table });
    from = end.index + end[0].length;
  }
  return found;
}

/** Removes what is not prose: code, link targets, and quoted text such as names of tests. */
const plain = (text) =>
  text
    .replace(/`[^`]*`/g, 'CODE')
    .replace(/\]\([^)]*\)/g, ']')
    .replace(/"[^"]*"/g, 'QUOTE');

function problems(sentence) {
  const text = plain(sentence.text).replace(/^[*_[("']+/, '');
  const words = text.split(/\s+/).filter((word) => /\w/.test(word)).length;
  const found = [...text.matchAll(BANNED)].map((hit) => `word "${hit[0]}"`);
  if (!sentence.table && isFragment(text)) found.push('fragment');
  if (!sentence.table && words > MAX_WORDS) found.push(`${words} words`);
  return found;
}

const filesIn = (path) =>
  statSync(join(ROOT, path)).isFile()
    ? [path]
    : readdirSync(join(ROOT, path), { recursive: true }).map((name) => join(path, name));

const isCheck = process.argv.includes('--check');
const wanted = process.argv.slice(2).filter((argument) => argument !== '--check');
const files = [...CODE, ...DOCUMENTS, 'docs']
  .flatMap(filesIn)
  .filter((file) => /\.(?:ts|mjs|md)$/.test(file) && !/node_modules|\/target\//.test(file))
  .filter(
    (file) =>
      wanted.length === 0 ||
      wanted.some((path) => `${file}/`.startsWith(`${path.replace(/\/$/, '')}/`)),
  );

let banned = 0;
const rate = { sentences: 0, fragments: 0 };
for (const file of files) {
  const lines = readFileSync(join(ROOT, file), 'utf8').split('\n');
  for (const sentence of (file.endsWith('.md') ? paragraphs(lines) : comments(lines)).flatMap(
    sentences,
  )) {
    const found = problems(sentence);
    for (const problem of found)
      if (!isCheck || problem.startsWith('word'))
        console.log(`${file}:${sentence.line}: ${problem}: ${sentence.text.slice(0, 100)}`);
    banned += found.filter((problem) => problem.startsWith('word')).length;
    if (!file.startsWith('src/')) continue;
    rate.sentences++;
    if (found.includes('fragment')) rate.fragments++;
  }
}

const share = rate.fragments / Math.max(1, rate.sentences);
console.log(
  `src: ${rate.fragments} fragments in ${rate.sentences} comment sentences (${(100 * share).toFixed(1)} %); ${banned} banned words everywhere`,
);
if (isCheck && (banned > 0 || share > MAX_FRAGMENTS)) process.exit(1);

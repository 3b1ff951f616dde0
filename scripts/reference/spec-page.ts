// Makes the page of the spec from its JSON Schema, with one table for each object of a spec.
import { specSchema } from '../../src/cli/schema.js';
import { code, page, table } from './markdown.js';

interface Node {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly required?: readonly string[];
}

const INTRODUCTION = `A spec is a YAML file. Each section below describes one object of the file, and its heading is the path of that object. Unknown keys are refused.
\`sluice validate -f FILE\` reports every problem with its line. Editors complete and explain the keys with the
[JSON Schema](../../schema/migration.v1alpha1.json), which \`sluice schema spec\` prints too. [Your first
migration](../how-to/first-migration.md) shows whole specs.

- A *duration* is a number with a unit: \`500ms\`, \`30s\`, \`5m\`, \`2h\`, \`7d\`.
- A *size* is a number with a unit: \`512MiB\`, \`10GiB\`.
- *SQL* is \`{ sql: TEXT }\` or \`{ file: PATH }\`, with a path relative to the spec.
- An *action* is SQL, or \`{ url: URL }\`, which gets a POST request with a JSON body.
- A *secret* is \`{ env: NAME }\` or \`{ file: PATH }\`. See [secrets](secrets-and-tls.md).`;

/**
 * Names of forms that many keys share. Each expression recognizes a form's pattern in the schema.
 */
const FORMS: readonly [RegExp, string][] = [
  [/\(ms\|s\|m\|h\|d\)/, 'duration'],
  [/\(B\|KiB\|MiB/, 'size'],
  [/^\^\\d\+\(\\\.\\d\+\)\?\$$/, 'decimal as text'],
];

export function specPage(): string {
  return page('The spec', INTRODUCTION, ...sections(specSchema() as Node, ''));
}

function sections(node: Node, path: string): string[] {
  const here = node.properties ? [section(node, path)] : [];
  const below = Object.entries(node.properties ?? {}).flatMap(([key, child]) =>
    objectsIn(child).flatMap((object) => sections(object, path === '' ? key : `${path}.${key}`)),
  );
  return [...here, ...below];
}

/** Returns the objects that a key may hold, except secrets, actions and SQL. */
function objectsIn(node: Node): Node[] {
  if (formOf(node) !== null) return [];
  if (node.properties) return [node];
  if (node.anyOf?.every(({ properties }) => properties)) return [eitherOf(node.anyOf)];
  const inner = [...alternatives(node), ...(node.items ? [node.items] : [])];
  if (typeof node.additionalProperties === 'object') inner.push(node.additionalProperties);
  return inner.flatMap(objectsIn);
}

/**
 * Joins alternative objects. No key is required, because the spec contains only one alternative.
 */
const eitherOf = (objects: readonly Node[]): Node => ({
  properties: Object.assign({}, ...objects.map(({ properties }) => properties)) as Record<
    string,
    Node
  >,
});

const alternatives = ({ anyOf, oneOf }: Node): readonly Node[] => anyOf ?? oneOf ?? [];

function section(node: Node, path: string): string {
  const rows = Object.entries(node.properties!).map(([key, child]) => [
    code(key),
    typeOf(child),
    defaultOf(child, node.required?.includes(key) ?? false),
    child.description ?? '',
  ]);
  const kind = (node.properties!['type'] ?? node.properties!['mechanism'])?.const;
  const title = path === '' ? 'The document' : code(path);
  return [
    `## ${title}${kind === undefined ? '' : ` of type ${code(kind)}`}`,
    table(['key', 'type', 'default', 'meaning'], rows),
  ].join('\n\n');
}

function defaultOf(node: Node, isRequired: boolean): string {
  if (isRequired) return '*required*';
  const { default: preset } = node;
  if (preset === undefined || preset === null || preset === '') return '–';
  if (typeof preset === 'object' && Object.keys(preset).length === 0) return '–';
  return code(typeof preset === 'string' ? preset : JSON.stringify(preset));
}

/** Returns `secret`, `action` or `SQL` if the node has this form, otherwise null. */
function formOf(node: Node): string | null {
  const keys = new Set(
    alternatives(node).flatMap(({ properties }) => Object.keys(properties ?? {})),
  );
  if (keys.has('env') && keys.has('file')) return 'secret';
  if (keys.has('sql') && keys.has('url')) return 'action';
  const own = Object.keys(node.properties ?? {});
  return own.includes('sql') && own.includes('file') ? 'SQL' : null;
}

function typeOf(node: Node): string {
  const form = formOf(node);
  if (form !== null) return form;
  if (node.const !== undefined) return code(node.const);
  if (node.enum) return node.enum.map(code).join(', ');
  if (node.items) return `list of ${typeOf(node.items)}`;
  const choices = alternatives(node).filter(({ type }) => type !== 'null');
  if (node.oneOf) return 'one of the types below';
  if (choices.length > 0) return [...new Set(choices.map(typeOf))].join(' or ');
  if (node.properties) return objectText(node);
  if (typeof node.additionalProperties === 'object')
    return `map of names to ${typeOf(node.additionalProperties)}`;
  return scalarText(node);
}

function objectText({ properties }: Node): string {
  const keys = Object.keys(properties!);
  return keys.length === 1 ? code(`{ ${keys[0]} }`) : 'object';
}

function scalarText(node: Node): string {
  const { type, pattern, format, minimum, maximum } = node;
  if (type === 'integer') {
    const most = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : null;
    return most === null ? `integer, at least ${minimum}` : `integer, ${minimum} to ${most}`;
  }
  if (format === 'date-time') return 'time';
  if (format === 'uri') return 'URL';
  return (
    FORMS.find(([known]) => pattern && known.test(pattern))?.[1] ??
    [type ?? 'string'].flat().join(' or ')
  );
}

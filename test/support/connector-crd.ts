// Defines the structure of Strimzi's resource KafkaConnector (kafka.strimzi.io/v1, Strimzi 1.2.0).
// The function `violations` finds what the Kubernetes API refuses with strict field validation.
// This file has only one part of the CRD: the fields of `spec` with their types, enums and limits.

export interface Schema {
  readonly type: 'object' | 'string' | 'integer' | 'boolean';
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
  readonly minimum?: number;
  /** True if the object may have any fields. */
  readonly isOpen?: boolean;
}

const string: Schema = { type: 'string' };
const named: Schema = { type: 'object', properties: { name: string } };

export const CONNECTOR_SPEC: Schema = {
  type: 'object',
  properties: {
    class: string,
    tasksMax: { type: 'integer', minimum: 1 },
    autoRestart: {
      type: 'object',
      properties: { enabled: { type: 'boolean' }, maxRestarts: { type: 'integer' } },
    },
    version: string,
    config: { type: 'object', isOpen: true },
    state: { type: 'string', enum: ['paused', 'stopped', 'running'] },
    listOffsets: {
      type: 'object',
      properties: { toConfigMap: named },
      required: ['toConfigMap'],
    },
    alterOffsets: {
      type: 'object',
      properties: { fromConfigMap: named },
      required: ['fromConfigMap'],
    },
  },
};

/** The keys that Strimzi ignores inside `spec.config`. */
export const FORBIDDEN_OPTIONS = [
  'name',
  'connector.class',
  'tasks.max',
  'connector.plugin.version',
];

export interface Violations {
  /** Fields that the schema does not have. Strict validation answers 400. */
  readonly unknown: readonly string[];
  /**
   * Required fields that are missing, and values of the wrong type or outside of their limits. The
   * server answers 422.
   */
  readonly invalid: readonly string[];
}

/** Returns what is wrong with a value. An invalid value is named as `path: problem`. */
export function violations(schema: Schema, value: unknown, path = 'spec'): Violations {
  const wrong = problemOf(schema, value);
  if (wrong !== null) return { unknown: [], invalid: [`${path}: ${wrong}`] };
  if (schema.type !== 'object' || schema.isOpen) return { unknown: [], invalid: [] };
  const fields = Object.entries(value as Record<string, unknown>);
  const missing = (schema.required ?? []).filter((key) => !fields.some(([name]) => name === key));
  const found = fields.map(([key, inner]) => {
    const property = schema.properties?.[key];
    return property
      ? violations(property, inner, `${path}.${key}`)
      : { unknown: [`unknown field "${path}.${key}"`], invalid: [] };
  });
  return {
    unknown: found.flatMap((one) => one.unknown),
    invalid: [
      ...missing.map((key) => `${path}.${key}: Required value`),
      ...found.flatMap((one) => one.invalid),
    ],
  };
}

function problemOf({ type, enum: values, minimum }: Schema, value: unknown): string | null {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const fits = {
    object: isObject,
    string: typeof value === 'string',
    integer: Number.isInteger(value),
    boolean: typeof value === 'boolean',
  }[type];
  if (!fits) return `Invalid value: must be of type ${type}`;
  if (values && !values.includes(value as string))
    return `Unsupported value: supported values: ${values.join(', ')}`;
  if (minimum !== undefined && (value as number) < minimum)
    return `Invalid value: should be greater than or equal to ${minimum}`;
  return null;
}

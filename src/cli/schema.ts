// sluice schema spec: prints the JSON Schema of the spec, for editors.
import { z } from 'zod';
import { migrationSchema } from '../manifest/spec-schema.js';
import { CliError, EXIT, write } from './output.js';

export function schema(what: string): number {
  if (what !== 'spec')
    throw new CliError(EXIT.usage, 'usage', `no schema "${what}"; there is: spec`);
  write(JSON.stringify(specSchema(), null, 2));
  return EXIT.ok;
}

const FILE = 'The path of a file with the text, relative to the spec; the command line inlines it.';

/**
 * Returns Draft 7, which the YAML support of every editor understands. `{file}` is allowed in
 * places that the CLI inlines.
 */
export function specSchema(): unknown {
  return z.toJSONSchema(migrationSchema, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      const { properties } = jsonSchema;
      if (properties && Object.keys(properties).join() === 'sql') {
        properties['file'] = { type: 'string', description: FILE };
        delete jsonSchema.required;
      }
    },
  });
}

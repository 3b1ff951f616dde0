// sluice schema spec: prints the JSON Schema of the spec, for editors.
import { z } from 'zod';
import { migrationSchema } from '../manifest/spec-schema.js';
import { CliError, EXIT, write } from './support/output.js';

export function schema(what: string): number {
  if (what !== 'spec')
    throw new CliError(EXIT.usage, 'usage', `there is no schema "${what}"; the only one is: spec`);
  write(JSON.stringify(specSchema(), null, 2));
  return EXIT.ok;
}

const FILE = 'The path of a file that contains the text. `sluice` reads the file.';

/**
 * Returns the JSON Schema as Draft 7, which the YAML support of common editors understands. SQL may
 * also be given as `{file}`, because the CLI replaces a file with its content.
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

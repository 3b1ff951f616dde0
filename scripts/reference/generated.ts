// Lists the files that `npm run docs` writes, each with the function that makes its text.
import { specSchema } from '../../src/cli/schema.js';
import { cliPage } from './cli-page.js';
import { environmentPage } from './environment-page.js';
import { failureCodesPage } from './failure-codes-page.js';
import { messagesPage } from './messages-page.js';
import { specPage } from './spec-page.js';

export const GENERATED: Readonly<Record<string, () => string>> = {
  'schema/migration.v1alpha1.json': () => `${JSON.stringify(specSchema(), null, 2)}\n`,
  'docs/reference/cli.md': cliPage,
  'docs/reference/environment.md': environmentPage,
  'docs/reference/failure-codes.md': failureCodesPage,
  'docs/reference/messages.md': messagesPage,
  'docs/reference/spec.md': specPage,
};

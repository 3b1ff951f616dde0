// Finds credentials in a spec. A spec is stored in the history and the ledger, and is shown in the
// plan and the report. So it may contain only references to secrets.

const REMEDY =
  'use a reference such as passwordFrom: { env: NAME }, or let a proxy or the host itself add the credential';
/** Matches names of query parameters, options and properties whose value is a secret. */
const SECRET_NAME =
  /(^|[^a-z])(pass(word|wd|phrase)?|pwd|secret|token|credentials?|signature|sig|jwt|auth|authorization)([^a-z]|$)|api[-_.]?key|(access|private|secret)[-_.]?key|jaas/;
const IN_URL = /\b[a-z][a-z0-9+.-]*:\/\/[^\s/?#@'"]+@/i;
const CONNINFO =
  /\b(host|hostaddr|dbname|user)\s*=[\s\S]*\bpassword\s*=|\bpassword\s*=[\s\S]*\b(host|hostaddr|dbname|user)\s*=/i;

/** Matches names that say how a credential is given, such as `credentials_source`. */
const ABOUT_A_SECRET = /(source|mechanism|type|class|provider|method|enabled?)$/;

/**
 * Returns true for names of secrets. Camel case is split, so `accessToken` equals `access_token`.
 */
function isSecretName(text: string): boolean {
  const name = text.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
  return SECRET_NAME.test(name) && !ABOUT_A_SECRET.test(name);
}

/**
 * Returns why a spec must not contain this URL, or null if it may. The answer never repeats the
 * credential.
 */
export function urlProblem(text: string): string | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return null; // the schema checks that it is a URL
  }
  if (url.username !== '' || url.password !== '')
    return `a URL with credentials (user:password@) is not allowed: ${REMEDY}`;
  const named = [...url.searchParams.keys(), ...new URLSearchParams(url.hash.slice(1)).keys()].find(
    (name) => isSecretName(name) || /^key$/i.test(name),
  );
  return named === undefined
    ? null
    : `a URL with the credential "${named}" in its query is not allowed: ${REMEDY}`;
}

const LITERALS = /'(?:[^']|'')*'/g;
const OPTION = /'((?:[^']|'')*)'\s*=\s*'((?:[^']|'')*)'/g;

const REFERENCE = /^\$\{(env|file|directory):[^}]+\}$/;
/** Matches an option of a JAAS configuration: `password="..."`. */
const JAAS_OPTION = /([\w.]+)\s*=\s*(?:"([^"]*)"|([^\s";]*))/g;
/** Matches a JAAS configuration: a login module, its flag, and the options that follow. */
const JAAS = /^\s*[\w.$]+\s+(?:required|requisite|sufficient|optional)\b([\s\S]*?);?\s*$/;

/**
 * Returns whether Kafka's client gets the secrets of this option from a config provider, so that
 * the option contains only references.
 */
function isReferenced(value: string): boolean {
  if (REFERENCE.test(value)) return true;
  const options = JAAS.exec(value)?.[1];
  if (options === undefined || options.replaceAll(JAAS_OPTION, '').trim() !== '') return false;
  return [...options.matchAll(JAAS_OPTION)].every(
    ([, name, quoted, bare]) => !isSecretName(name!) || REFERENCE.test(quoted ?? bare!),
  );
}

/**
 * Returns why a spec must not contain these statements: an option has a literal secret as its
 * value, or a text is a connection string with credentials. Returns null if neither is the case.
 */
export function statementsProblem(sql: string): string | null {
  for (const [, name, value] of sql.matchAll(OPTION)) {
    if (value === '' || /^(true|false)$/i.test(value!) || !isSecretName(name!)) continue;
    const isKafka = name!.startsWith('properties.');
    if (isKafka && isReferenced(value!)) continue;
    const remedy = isKafka
      ? 'use a reference that Kafka\'s client resolves, such as password="${env:NAME}"'
      : 'configure it in Flink or ksqlDB itself (catalog, config provider)';
    return `the statements give "${name}" as a literal, so the secret would be stored and shown: ${remedy}`;
  }
  return sqlProblem(sql);
}

/**
 * Returns why a spec must not contain this SQL: a text is a connection string with credentials.
 * Returns null if there is no such text.
 */
export function sqlProblem(sql: string): string | null {
  for (const [literal] of sql.matchAll(LITERALS)) {
    if (!IN_URL.test(literal) && !CONNINFO.test(literal)) continue;
    return 'the SQL contains a connection string with credentials, which would be stored and shown. Use a foreign server with a user mapping, or a password file of the server';
  }
  return null;
}

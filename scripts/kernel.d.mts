/** Returns a digest of the sources and of the compiler's options. */
export function digestOfSources(): string;
/** Returns the module's bytes. */
export function compileKernel(): Promise<Buffer>;

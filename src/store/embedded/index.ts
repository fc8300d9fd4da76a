// The embedded database: PGlite in a child process behind a private Unix socket (design.md decision 2).
export { BUNDLED_CHILD } from './child-location.ts';
export { openEmbedded, type Embedded } from './embedded.ts';

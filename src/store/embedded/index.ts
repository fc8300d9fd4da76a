// The embedded database: PGlite in a child process behind a private Unix socket (design.md decision 2).
export { BUNDLED_CHILD, childLocation } from './child-location.ts';
export { openEmbedded, type Embedded, type EmbeddedOptions } from './embedded.ts';

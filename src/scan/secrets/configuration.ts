// Secrets in an image's configuration (OCI image-spec config.md): environment, labels, and the commands of its history.
import { maskSecret, secretFingerprint } from './masking.ts';
import { secretRules } from './rules.ts';
import { SecretSearch } from './search.ts';
import type { LayerSecret, SecretSource } from './types.ts';
import { isJsonObject, jsonOf } from './validators/json.ts';

export interface HistoryStep {
  readonly createdBy?: string;
  readonly emptyLayer: boolean;
}

interface Place {
  readonly source: Exclude<SecretSource, 'file'>;
  readonly path: string;
  readonly layer: number | null;
  readonly text: string;
}

const MAX_PLACES = 5_000;
const MAX_TEXT = 64 * 1024;
/** The texts are short; a small buffer will do. */
const BUFFER_BYTES = 64 * 1024;

export interface ConfigurationSecret {
  readonly source: Exclude<SecretSource, 'file'>;
  /** Index of the layer that the command made; null when it made none. */
  readonly layer: number | null;
  readonly secret: LayerSecret;
}

/** Secrets in the stored bytes of a configuration. A configuration that is none has none. */
export function configurationSecrets(
  bytes: Buffer,
  history: readonly HistoryStep[],
): readonly ConfigurationSecret[] {
  const search = new SecretSearch(secretRules(), BUFFER_BYTES);
  const found: ConfigurationSecret[] = [];
  for (const { source, path, layer, text } of places(bytes, history)) {
    search.begin({ token: true, assigned: true, generic: true });
    search.write(Buffer.from(text.slice(0, MAX_TEXT)));
    for (const { rule, line, value, validated } of search.finish().matches) {
      const fingerprint = secretFingerprint(rule.id, value);
      const masked = maskSecret(value);
      found.push({ source, layer, secret: { rule: rule.id, path, line, masked, fingerprint, validated } });
    }
  }
  return found;
}

function places(bytes: Buffer, history: readonly HistoryStep[]): readonly Place[] {
  const document = jsonOf(bytes.toString('utf8'));
  const config = isJsonObject(document) && isJsonObject(document['config']) ? document['config'] : {};
  const found: Place[] = [];
  const env: unknown = config['Env'];
  for (const entry of Array.isArray(env) ? env : []) {
    if (typeof entry !== 'string') continue;
    const path = entry.split('=', 1)[0] ?? '';
    found.push({ source: 'environment', path, layer: null, text: entry });
  }
  const labels = config['Labels'];
  for (const [path, value] of Object.entries(isJsonObject(labels) ? labels : {})) {
    if (typeof value === 'string')
      found.push({ source: 'label', path, layer: null, text: `${path}=${value}` });
  }
  let layer = 0;
  history.forEach(({ createdBy, emptyLayer }, step) => {
    const made = emptyLayer ? null : layer++;
    if (createdBy !== undefined)
      found.push({ source: 'history', path: `history[${step}]`, layer: made, text: createdBy });
  });
  return found.slice(0, MAX_PLACES);
}

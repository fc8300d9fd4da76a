// Secrets of all layers and of the configuration, as one list: with the layer that removes each, if one does.
import { severityRank } from '../../core/index.ts';
import { configurationSecrets, type HistoryStep } from './configuration.ts';
import { decodePathHashes, pathHash } from './path-hashes.ts';
import { secretRules } from './rules.ts';
import type { LayerSecret, LayerSecrets, SecretFinding } from './types.ts';

/** What of a layer is needed to place its secrets. */
export interface SecretLayer {
  readonly secrets?: LayerSecrets;
  readonly whiteouts: readonly string[];
  readonly opaque: readonly string[];
}

/** The most severe first. `layers` are the lowest first; `bytes` is the stored image configuration, if there is one. */
export function imageSecrets(
  layers: readonly SecretLayer[],
  bytes: Buffer | null,
  descriptors: readonly { readonly digest: string }[],
  history: readonly HistoryStep[],
): readonly SecretFinding[] {
  const removals = layers.map((layer) => new Removals(layer));
  const findings: SecretFinding[] = [];
  layers.forEach(({ secrets }, index) => {
    for (const secret of secrets?.found ?? []) {
      const [file = ''] = secret.path.split('!/');
      const remover = removals.findIndex((removal, layer) => layer > index && removal.removes(file));
      findings.push({
        ...describe(secret),
        source: 'file',
        layer: index,
        layerDigest: descriptors[index]?.digest ?? null,
        removedInLayer: remover < 0 ? null : remover,
      });
    }
  });
  for (const { source, layer, secret } of bytes === null ? [] : configurationSecrets(bytes, history)) {
    const layerDigest = layer === null ? null : (descriptors[layer]?.digest ?? null);
    findings.push({ ...describe(secret), source, layer, layerDigest, removedInLayer: null });
  }
  return findings.toSorted(
    (a, b) =>
      severityRank(a.severity) - severityRank(b.severity) ||
      (a.layer ?? -1) - (b.layer ?? -1) ||
      compareText(a.path, b.path) ||
      a.line - b.line ||
      compareText(a.rule, b.rule),
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function describe(
  secret: LayerSecret,
): LayerSecret & Pick<SecretFinding, 'title' | 'severity' | 'remediation'> {
  const rule = secretRules().find((one) => one.id === secret.rule);
  return {
    ...secret,
    title: rule?.title ?? secret.rule,
    severity: rule?.severity ?? 'unknown',
    remediation: rule?.remediation ?? 'Replace it, then keep the new one out of the image.',
  };
}

/** What a layer deletes, hides or overwrites of the layers below. */
class Removals {
  readonly #whiteouts: ReadonlySet<string>;
  readonly #opaque: ReadonlySet<string>;
  readonly #encoded: string;
  #files: ReadonlySet<number> | undefined;

  constructor(layer: SecretLayer) {
    this.#whiteouts = new Set(layer.whiteouts);
    this.#opaque = new Set(layer.opaque);
    this.#encoded = layer.secrets?.files ?? '';
  }

  removes(path: string): boolean {
    if (this.#whiteouts.has(path) || this.#opaque.has('')) return true;
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end);
      if (this.#whiteouts.has(folder) || this.#opaque.has(folder)) return true;
    }
    this.#files ??= decodePathHashes(this.#encoded);
    return this.#files.has(pathHash(path));
  }
}

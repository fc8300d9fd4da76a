// The page `/`: stored images with what their scans found.
import { type Html, html } from './html.ts';
import { severityCounts } from './severity-counts.ts';

/** How far the scan of an image is; `none` is an image that no scan was started for. */
export type ScanState = 'none' | 'pending' | 'running' | 'finished' | 'failed' | 'unscannable';

export interface ImageRow {
  readonly digest: string;
  readonly kind: 'image' | 'index' | 'artifact';
  /** `repository:tag`, or `repository@digest` where there is no tag. */
  readonly names: readonly string[];
  readonly pushedAt: string | null;
  readonly scan: {
    readonly state: ScanState;
    readonly reason: string | null;
    readonly counts: Readonly<Record<string, number>>;
  };
}

export interface ImageListView {
  readonly images: readonly ImageRow[];
  readonly nextCursor: string | null;
  readonly notices: readonly string[];
  /** For the push command shown when there is nothing yet. */
  readonly registryAddress: string | null;
}

export function imageListBody(view: ImageListView): Html {
  if (view.images.length === 0) {
    return html`${noticeList(view.notices)}<p>Nothing has been pushed yet.</p>
${view.registryAddress !== null && html`<p>Push an image: <code>skopeo copy --dest-tls-verify=false --dest-creds admin docker://alpine:3.20 docker://${view.registryAddress}/library/alpine:3.20</code></p>`}`;
  }
  return html`${noticeList(view.notices)}
<div class="scroll"><table>
<caption>Stored images, newest push first</caption>
<thead><tr><th scope="col">Image</th><th scope="col">Digest</th><th scope="col">Scan</th><th scope="col">Open findings</th><th scope="col">Pushed</th></tr></thead>
<tbody>
${view.images.map(imageRow)}
</tbody>
</table></div>
${view.nextCursor !== null && html`<p><a href="/?cursor=${encodeURIComponent(view.nextCursor)}">Older images</a></p>`}`;
}

function imageRow(image: ImageRow): Html {
  const name = image.names[0] ?? image.digest.slice(0, 19);
  return html`<tr><th scope="row"><a href="/images/${image.digest}">${name}</a>${image.names
    .slice(1, 5)
    .map(
      (other) => html`<br>${other}`,
    )}</th><td><code>${image.digest.slice(0, 19)}…</code></td><td>${scanText(image.scan.state, image.scan.reason)}</td><td>${countsText(image)}</td><td>${image.pushedAt !== null && html`<time datetime="${image.pushedAt}">${image.pushedAt.replace('T', ' ').slice(0, 16)} UTC</time>`}</td></tr>
`;
}

/** A dash means "not known", and says so; it never means "none". */
function countsText(image: ImageRow): Html {
  if (image.scan.state !== 'finished')
    return html`<span class="quiet">not known: ${scanText(image.scan.state, null)}</span>`;
  return severityCounts(image.scan.counts) ?? html`no open findings`;
}

export function scanText(state: ScanState, reason: string | null): string {
  const words: Readonly<Record<ScanState, string>> = {
    none: 'not scanned',
    pending: 'waiting to be scanned',
    running: 'scanning',
    finished: 'scanned',
    failed: 'scan failed',
    unscannable: 'not scanned: nothing in it can be scanned',
  };
  return reason === null ? words[state] : `${words[state]} (${reason})`;
}

/** What the reader must know before trusting the numbers. */
export function noticeList(notices: readonly string[]): Html {
  return html`${notices.map((notice) => html`<p class="notice"><strong>Notice:</strong> ${notice}</p>`)}`;
}

// The page `/images/<digest>`: one image with its findings, and why there may be none.
import type { Severity } from '../../core/index.ts';
import { type Html, html } from './html.ts';
import { noticeList, type ScanState, scanText } from './image-list.ts';
import { severityCounts, severityLabel } from './severity-counts.ts';

export interface FindingRow {
  readonly id: string;
  readonly severity: Severity;
  readonly package: string;
  readonly installed: string;
  readonly fixed: string | null;
  readonly exploited: boolean;
  readonly layer: number;
  readonly path: string;
  readonly title: string;
}

export interface ImageDetailView {
  readonly digest: string;
  readonly names: readonly string[];
  readonly distribution: string | null;
  readonly platform: string | null;
  readonly scan: {
    readonly state: ScanState;
    readonly reason: string | null;
    readonly finishedAt: string | null;
    readonly counts: Readonly<Record<string, number>>;
  };
  readonly packages: number | null;
  readonly advisories: string | null;
  readonly notices: readonly string[];
  readonly findings: readonly FindingRow[];
  /** Findings that are not on this page. */
  readonly more: number;
  readonly problems: readonly {
    readonly code: string;
    readonly message: string;
    readonly path: string | null;
  }[];
  readonly children: readonly {
    readonly digest: string;
    readonly platform: string | null;
    readonly present: boolean;
  }[];
}

export function imageDetailBody(view: ImageDetailView): Html {
  return html`${noticeList(view.notices)}
<dl>
<dt>Digest</dt><dd><code>${view.digest}</code></dd>
${view.names.length > 0 && html`<dt>Names</dt>${view.names.slice(0, 50).map((name) => html`<dd>${name}</dd>`)}`}
${view.platform !== null && html`<dt>Platform</dt><dd>${view.platform}</dd>`}
${view.distribution !== null && html`<dt>Distribution</dt><dd>${view.distribution}</dd>`}
<dt>Scan</dt><dd>${scanText(view.scan.state, view.scan.reason)}${view.scan.finishedAt !== null && html`, <time datetime="${view.scan.finishedAt}">${view.scan.finishedAt.replace('T', ' ').slice(0, 16)} UTC</time>`}</dd>
${view.packages !== null && html`<dt>Packages</dt><dd>${view.packages}</dd>`}
${view.advisories !== null && html`<dt>Advisories</dt><dd>${view.advisories}</dd>`}
</dl>
${view.children.length > 0 && childTable(view)}
${findingsSection(view)}
${view.problems.length > 0 && problemTable(view)}`;
}

function findingsSection(view: ImageDetailView): Html {
  if (view.scan.state !== 'finished') {
    return html`<p><strong>Findings are not known:</strong> ${scanText(view.scan.state, view.scan.reason)}.</p>`;
  }
  if (view.findings.length === 0) {
    if (view.children.length > 0) return html`<p>Each platform above has its own findings.</p>`;
    const limits = view.problems.length > 0 ? ' Not everything could be read: see below.' : '';
    const nothing =
      view.packages === 0 ? 'No packages were found, so nothing could be matched.' : 'No open findings.';
    return html`<p>${nothing}${limits}</p>`;
  }
  return html`<p>Open findings: ${severityCounts(view.scan.counts)}</p>
<div class="scroll"><table>
<caption>Findings, exploited ones first, then the most severe</caption>
<thead><tr><th scope="col">Vulnerability</th><th scope="col">Severity</th><th scope="col">Package</th><th scope="col">Installed</th><th scope="col">Fixed in</th><th scope="col">Exploited</th><th scope="col">Found in</th></tr></thead>
<tbody>
${view.findings.map(
  (
    finding,
  ) => html`<tr><th scope="row">${finding.id}<br><span class="quiet">${finding.title}</span></th><td>${severityLabel(finding.severity)}</td><td>${finding.package}</td><td>${finding.installed}</td><td>${finding.fixed ?? 'no fix known'}</td><td>${finding.exploited ? 'yes' : 'not known'}</td><td>layer ${finding.layer}: <code>${finding.path}</code></td></tr>
`,
)}
</tbody>
</table></div>
${view.more > 0 && html`<p>${view.more} more: <a href="/api/v1/findings?image=${encodeURIComponent(view.digest)}">all findings as JSON</a></p>`}`;
}

function childTable(view: ImageDetailView): Html {
  return html`<div class="scroll"><table>
<caption>Platforms of this index</caption>
<thead><tr><th scope="col">Platform</th><th scope="col">Digest</th></tr></thead>
<tbody>
${view.children.map(
  (child) => html`<tr><th scope="row">${child.platform ?? 'unknown'}</th><td>${
    child.present
      ? html`<a href="/images/${child.digest}"><code>${child.digest}</code></a>`
      : html`<code>${child.digest}</code> (not stored here, so not scanned)`
  }</td></tr>
`,
)}
</tbody>
</table></div>`;
}

function problemTable(view: ImageDetailView): Html {
  return html`<div class="scroll"><table>
<caption>Could not be read</caption>
<thead><tr><th scope="col">Problem</th><th scope="col">Where</th><th scope="col">Code</th></tr></thead>
<tbody>
${view.problems.map(
  (
    problem,
  ) => html`<tr><th scope="row">${problem.message}</th><td><code>${problem.path ?? 'image'}</code></td><td>${problem.code}</td></tr>
`,
)}
</tbody>
</table></div>`;
}

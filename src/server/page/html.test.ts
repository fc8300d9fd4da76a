// The plain pages: nothing of an image becomes markup, and "not scanned" never reads like "clean".
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeHtml, html } from './html.ts';
import { imageDetailBody, type ImageDetailView } from './image-detail.ts';
import { imageListBody, type ImageRow, type ScanState } from './image-list.ts';
import { PAGE_POLICY, page } from './layout.ts';

const hostile = `<script>alert(1)</script>"'&\u0000`;

const detail: ImageDetailView = {
  digest: `sha256:${'a'.repeat(64)}`,
  names: [hostile],
  distribution: hostile,
  platform: 'linux/amd64',
  scan: { state: 'finished', reason: null, finishedAt: '2026-01-02T03:04:05.000Z', counts: { high: 1 } },
  packages: 3,
  advisories: hostile,
  notices: [hostile],
  findings: [
    {
      id: hostile,
      severity: 'high',
      package: hostile,
      installed: '1',
      fixed: null,
      exploited: false,
      layer: 0,
      path: hostile,
      title: hostile,
    },
  ],
  more: 2,
  problems: [{ code: 'X', message: hostile, path: hostile }],
  children: [{ digest: 'sha256:b', platform: hostile, present: false }],
};

function row(state: ScanState, counts: Record<string, number> = {}): ImageRow {
  return {
    digest: 'sha256:a',
    kind: 'image',
    names: ['shop/cart:1'],
    pushedAt: null,
    scan: { state, reason: null, counts },
  };
}
const list = (image: ImageRow): string =>
  imageListBody({ images: [image], nextCursor: null, notices: [], registryAddress: null }).html;

describe('html', () => {
  it('escapes every value and joins what is HTML already', () => {
    expect(html`<p title="${hostile}">${[html`<b>${1}</b>`, '<i>', null, false]}</p>`.html).toBe(
      '<p title="&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\ufffd"><b>1</b>&lt;i&gt;</p>',
    );
  });

  it('lets no text become markup or leave an attribute', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(escapeHtml(text)).not.toMatch(/[<>"'\u0000-\u0008]|&(?!(amp|lt|gt|quot|#39);)/);
      }),
    );
  });
});

describe('pages', () => {
  it('has language, one h1, a skip link, headers with scope and captions, and no script', () => {
    const text = page(hostile, imageDetailBody(detail), '0.1.0');
    expect(text).toContain('<html lang="en">');
    expect(text.match(/<h1>/g)?.length).toBe(1);
    expect(text).toContain('<a class="skip" href="#content">');
    expect(text.match(/<table>/g)?.length).toBe(text.match(/<caption>/g)?.length);
    expect(text).not.toMatch(/<th>/);
    expect(text).not.toContain('<script');
    expect(text).not.toMatch(/\son[a-z]+=/i);
    expect(text).not.toMatch(/ style="/);
  });

  it('allows by policy exactly its own style sheet', async () => {
    const style = /<style>([\s\S]*)<\/style>/.exec(page('x', null, '1'))?.[1] ?? '';
    const hash = Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style))).toString(
      'base64',
    );
    expect(PAGE_POLICY).toContain(`style-src 'sha256-${hash}'`);
    expect(PAGE_POLICY).toContain("default-src 'none'");
    expect(PAGE_POLICY).toContain("frame-ancestors 'none'");
  });

  it.each<[ScanState, RegExp]>([
    ['none', /not scanned/],
    ['pending', /waiting to be scanned/],
    ['running', /scanning/],
    ['failed', /scan failed/],
    ['unscannable', /not scanned/],
  ])('never shows an image that is %s as clean', (state, words) => {
    expect(list(row(state))).toMatch(words);
    expect(list(row(state))).not.toMatch(/no open findings/i);
    const one = imageDetailBody({ ...detail, findings: [], scan: { ...detail.scan, state } }).html;
    expect(one).toMatch(/Findings are not known/);
    expect(one).not.toMatch(/no open findings/i);
  });

  it('says clean only of a finished scan, and what limits it', () => {
    expect(list(row('finished'))).toContain('no open findings');
    expect(list(row('finished', { critical: 2, low: 1 }))).toMatch(/2 critical[\s\S]*1 low/);
    const none = { ...detail, findings: [], scan: { ...detail.scan, counts: {} }, children: [] };
    expect(imageDetailBody(none).html).toMatch(/No open findings\. Not everything could be read/);
    expect(imageDetailBody({ ...none, packages: 0, problems: [] }).html).toContain('No packages were found');
  });

  it('keeps text contrast of at least 4.5 to 1 in both colour schemes', () => {
    const style = /<style>([\s\S]*)<\/style>/.exec(page('x', null, '1'))?.[1] ?? '';
    const schemes = [...style.matchAll(/:root \{([^}]*)\}/g)].map((match) => colours(match[1] ?? ''));
    expect(schemes.length).toBe(2);
    for (const scheme of schemes) {
      for (const name of ['text', 'quiet', 'link', 'critical', 'high']) {
        expect(contrast(scheme.get(name) ?? '', scheme.get('back') ?? ''), name).toBeGreaterThanOrEqual(4.5);
      }
      expect(contrast(scheme.get('text') ?? '', scheme.get('notice') ?? '')).toBeGreaterThanOrEqual(4.5);
    }
  });
});

function colours(block: string): Map<string, string> {
  return new Map(
    [...block.matchAll(/--(\w+): (#[0-9a-f]{6})/g)].map((match) => [match[1] ?? '', match[2] ?? '']),
  );
}

/** WCAG 2.2 contrast ratio. */
function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].toSorted((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
    const value = Number.parseInt(hex.slice(start, start + 2), 16) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

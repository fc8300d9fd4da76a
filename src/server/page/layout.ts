// The frame of the plain pages (WCAG 2.2 AA): language, one h1, skip link, landmarks, contrast in both schemes, no script.
import { createHash } from 'node:crypto';
import { CLOSED_POLICY } from '../response-headers.ts';
import { type Html, type HtmlValue, html } from './html.ts';

/** Text contrast is at least 4.5:1 in both colour schemes; severity is a word and a shape besides its colour. */
const STYLE = `
:root { color-scheme: light dark; --text: #1a1a1a; --back: #ffffff; --quiet: #555555; --line: #767676; --link: #0b4f9e;
  --critical: #a3001b; --high: #9a3c00; --notice: #fff4d6; }
@media (prefers-color-scheme: dark) { :root { --text: #ececec; --back: #141414; --quiet: #b4b4b4; --line: #8a8a8a;
  --link: #8fc1ff; --critical: #ff8f9b; --high: #ffb37a; --notice: #3a3115; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 80rem; color: var(--text); background: var(--back);
  font: 1rem/1.5 system-ui, sans-serif; }
a { color: var(--link); }
a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { position: static; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
caption { text-align: left; font-weight: bold; padding: 0.25rem 0; }
th, td { text-align: left; vertical-align: top; padding: 0.4rem 0.75rem 0.4rem 0; border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
code { font: 0.9rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
td a, nav a { display: inline-block; min-height: 1.5rem; }
.quiet { color: var(--quiet); font-weight: normal; }
td > span { white-space: nowrap; }
.critical { color: var(--critical); font-weight: bold; }
.high { color: var(--high); font-weight: bold; }
.notice { background: var(--notice); border-left: 0.3rem solid var(--line); padding: 0.5rem 1rem; }
`;

/** The policy of pages: our own style sheet by its hash, nothing else. */
export const PAGE_POLICY = `${CLOSED_POLICY}; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;

/** A whole document. `title` is the page's one heading. */
export function page(title: string, body: HtmlValue, version: string): string {
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Breakwater</title>
<style>${styleSheet}</style>
</head>
<body>
<a class="skip" href="#content">Skip to content</a>
<header><nav aria-label="Main"><a href="/">Images</a></nav></header>
<main id="content" tabindex="-1">
<h1>${title}</h1>
${body}
</main>
<footer><p class="quiet">Breakwater ${version} · everything here and more is in the REST API: <a href="/api/v1/openapi.json">description</a></p></footer>
</body>
</html>
`;
  return document.html;
}

const styleSheet: Html = { html: STYLE };

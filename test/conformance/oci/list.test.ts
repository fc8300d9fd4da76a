// Holds docs/conformance.md, the checks and the sabotages to one list of requirements.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mustNumber, musts } from './musts.ts';
import { sabotages } from './sabotages.ts';
import { untestableMusts } from './untestable-musts.ts';

const documentation = readFileSync(new URL('../../../docs/conformance.md', import.meta.url), 'utf8');

describe('list of requirements', () => {
  const all = [...musts, ...untestableMusts].toSorted((a, b) => mustNumber(a.id) - mustNumber(b.id));

  it('has each number once, without gaps', () => {
    expect(all.map(({ id }) => mustNumber(id))).toEqual(Array.from(all, (_, position) => position + 1));
  });

  it('is in docs/conformance.md, word for word', () => {
    const rows = [...documentation.matchAll(/^\| (MUST-\d+) \| (.+?) \| (.+?) \| (.+?) \|$/gm)];
    expect(rows.map(([, id, section, text, how]) => ({ id, section, text, how }))).toEqual(
      all.map((must) => ({
        id: must.id,
        section: must.section,
        text: must.text,
        how: 'reason' in must ? must.reason : 'tested',
      })),
    );
  });

  it('says in docs/conformance.md how many there are', () => {
    expect(documentation).toContain(`${musts.length} are tested`);
    expect(documentation).toContain(`${untestableMusts.length} cannot be`);
  });

  it('has a sabotage for each check, and a check for each sabotage', () => {
    expect([...new Set(sabotages.map(({ must }) => must))].toSorted()).toEqual(
      musts.map(({ id }) => id).toSorted(),
    );
  });

  it('tells sabotages apart by name', () => {
    const names = sabotages.map(({ must, name }) => `${must} ${name}`);
    expect(new Set(names).size).toBe(names.length);
  });
});
